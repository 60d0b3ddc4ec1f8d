import { ChainsError } from '../errors.ts';

/** A public key that signatures are checked against. */
export interface VerificationKey {
  /** As `ssh-keygen -l` shows it; for PGP the fingerprint. */
  readonly id: string;
  /** The ids that an envelope may name it by: those in SSH's form, of all of its parts. */
  readonly keyIds: readonly string[];
  /** SPKI in DER; undefined for PGP. */
  readonly publicKey?: Uint8Array;
  /** Why the key didn't make this signature of this message, in words that follow the key's id; undefined if it did. */
  check(message: Uint8Array, signature: Uint8Array): Promise<string | undefined>;
  /** The same for a message of which only the SHA-256 is known; undefined for PGP. */
  checkSha256?(sha256: Uint8Array, signature: Uint8Array): Promise<string | undefined>;
}

/** KEY_INVALID for a key to verify with. */
export function invalid(message: string, cause?: unknown): ChainsError {
  return new ChainsError('KEY_INVALID', `the key to verify with ${message}`, { cause });
}

/** The first key that made a signature, or why each of them didn't. */
export async function findSigner(
  keys: readonly VerificationKey[],
  check: (key: VerificationKey) => Promise<string | undefined>,
): Promise<{ readonly key?: VerificationKey; readonly reasons: readonly string[] }> {
  const reasons: string[] = [];
  for (const key of keys) {
    const why = await check(key);
    if (why === undefined) return { key, reasons };
    reasons.push(`${key.id} ${why}`);
  }
  return { reasons };
}
