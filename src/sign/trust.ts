import type { Config } from '../config/keys.ts';
import type { SigstoreListener } from '../model/sigstore.ts';
import { openTrust, type Trust } from '../sigstore/trust.ts';
import { secretFile, type Secrets } from './secrets.ts';

/** Opens the trusted root of the Secret `signing-secrets` and the configuration. @throws ChainsError KEY_INVALID for a file that can't be read */
export function openTrustOf(config: Config, secrets: Secrets, onSigstore?: SigstoreListener): Trust {
  const trustedRoot = secretFile(secrets, 'trusted_root.json');
  return openTrust(config, { trustedRoot, tufRoot: secretFile(secrets, 'tuf-root.json') }, onSigstore);
}
