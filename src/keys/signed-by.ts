import { createPublicKey } from 'node:crypto';
import { algorithmsOf, verifies } from './algorithm.ts';
import { preAuthEncoding } from './dsse.ts';
import type { SignedArtifact, SigningKey } from '../model/signature.ts';

/**
 * Whether one of these is a signature of the entry's payload by the entry's key, so that a store that has them needs no
 * other one. They can't just be compared: ECDSA and PGP signatures differ each time.
 */
export async function includesSignatureOf(
  { payload, signature }: SignedArtifact,
  candidates: readonly Uint8Array[],
): Promise<boolean> {
  const message =
    payload.dsseType === undefined ? payload.bytes : preAuthEncoding(payload.dsseType, payload.bytes);
  const checks = candidates.map((candidate) => signedBy(signature.key, message, candidate));
  return (await Promise.all(checks)).includes(true);
}

/** Whether a signature of the message was made by this key, in any of the ways in which files and KMSs sign. */
async function signedBy(
  { publicKey }: SigningKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.includes('BEGIN PGP PUBLIC KEY')) {
    const { readArmoredKey, verifyPgp } = await import('./pgp.ts');
    return typeof (await verifyPgp(await readArmoredKey(publicKey), message, signature)) !== 'string';
  }
  const key = createPublicKey(publicKey);
  return algorithmsOf(key).some((algorithm) => verifies(algorithm, key, message, signature));
}
