import type { Config } from '../config/keys.ts';
import type { HearSigstore } from '../model/sigstore.ts';
import { openTrust, type Trust } from '../sigstore/trust.ts';
import { secretFile, type Secrets } from './secrets.ts';

/** Opens whom to trust, as the Secret `signing-secrets` and the configuration say. @throws ChainsError KEY_INVALID for a file that can't be read */
export function openTrustOf(config: Config, secrets: Secrets, hear?: HearSigstore): Trust {
  const [trustedRoot, tufRoot] = [
    secretFile(secrets, 'trusted_root.json'),
    secretFile(secrets, 'tuf-root.json'),
  ];
  return openTrust(config, { trustedRoot, tufRoot }, hear);
}
