import { parseConfig } from '../config/parse.ts';
import { readKeyVersion } from '../sign/kms/index.ts';
import type { VerificationKey } from './key.ts';
import { plainKey } from './public-key.ts';

/**
 * The key that signs now in a KMS, by its reference.
 * @param data of a ConfigMap `chains-config`, for how to reach the KMS
 * @throws ChainsError CONFIG_INVALID for what is not a reference, KMS_REFUSED, KMS_UNAVAILABLE
 */
export async function kmsKey(
  reference: string,
  data: Readonly<Record<string, unknown>> = {},
): Promise<VerificationKey> {
  const { config } = parseConfig({ ...data, 'signers.kms.kmsref': reference });
  const { publicKey } = await readKeyVersion(config);
  return plainKey(publicKey);
}
