import { ChainsError } from '../errors.ts';

/** A public key that signatures are checked against. */
export interface VerificationKey {
  /** As `ssh-keygen -l` shows it; for PGP the fingerprint. */
  readonly id: string;
  /** The ids by which an envelope may name it: those in SSH's form, of all of its parts. */
  readonly keyIds: readonly string[];
  /** SPKI in DER; undefined for PGP. */
  readonly publicKey?: Uint8Array;
  /** Why the signature is not one of this message by this key, in words that follow the key's id; undefined where it is one. */
  check(message: Uint8Array, signature: Uint8Array): Promise<string | undefined>;
  /** The same for a message of which only the SHA-256 is known; undefined for keys that sign no digest. */
  checkSha256?(sha256: Uint8Array, signature: Uint8Array): Promise<string | undefined>;
}

/** KEY_INVALID for a key to verify with. */
export function invalid(message: string, cause?: unknown): ChainsError {
  return new ChainsError('KEY_INVALID', `the key to verify with ${message}`, { cause });
}
