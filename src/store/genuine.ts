import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { preAuthEncoding } from '../model/dsse.ts';
import type { SignedArtifact } from '../model/signature.ts';

const hashes = ['sha256', 'sha384', 'sha512'] as const;
const paddings = [constants.RSA_PKCS1_PADDING, constants.RSA_PKCS1_PSS_PADDING] as const;

/**
 * Whether these bytes are a signature of the entry's payload by the entry's key, so that a store that has them needs no
 * other one: ECDSA gives new ones each time, and a store may hold what somebody else wrote under our key's name. False
 * for PGP, which isn't read here.
 */
export function isSignatureOf({ payload, signature }: SignedArtifact, bytes: Uint8Array): boolean {
  const { publicKey } = signature.key;
  if (!publicKey.includes('BEGIN PUBLIC KEY')) return false;
  const key = createPublicKey(publicKey);
  const message =
    payload.dsseType === undefined ? payload.bytes : preAuthEncoding(payload.dsseType, payload.bytes);
  return attempts(key).some(({ hash, padding }) => verify(hash, message, { key, padding }, bytes));
}

interface Attempt {
  /** Null where the algorithm brings its own. */
  readonly hash: string | null;
  readonly padding?: number;
}

/** A KMS chooses the hash by the curve, and the padding by the key. */
function attempts(key: KeyObject): readonly Attempt[] {
  if (key.asymmetricKeyType === 'ed25519') return [{ hash: null }];
  if (key.asymmetricKeyType === 'ec') return hashes.map((hash) => ({ hash }));
  return hashes.flatMap((hash) => paddings.map((padding) => ({ hash, padding })));
}
