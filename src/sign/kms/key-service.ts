import type { KeyObject } from 'node:crypto';
import type { Config } from '../../config/keys.ts';
import type { Algorithm } from '../../model/signature.ts';

/** One version of a key in a KMS. */
export interface KeyVersion {
  /** As the service names it in its answers. */
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly algorithm: Algorithm;
}

/** A signature as a KMS made it. */
export interface MadeSignature {
  /** DER for ECDSA. */
  readonly bytes: Uint8Array;
  /** The name of the version that made it, which need not be the one that was known before. */
  readonly version: string;
}

/** One key in one KMS. Its errors are KMS_UNAVAILABLE, KMS_REFUSED or SIGNATURE_INVALID, or the signal's reason. */
export interface KeyService {
  /** The version of this name, or else the one that signs now. */
  keyVersion(signal: AbortSignal, name?: string): Promise<KeyVersion>;
  /** @param input what the key's algorithm signs: a digest, or the message */
  sign(input: Uint8Array, key: KeyVersion, signal: AbortSignal): Promise<MadeSignature>;
  close?(): Promise<void>;
}

/** The reference to a key in a KMS: `signers.kms.kmsref`. */
export type KeyReference = NonNullable<Config['signers.kms.kmsref']>;

/** What a KMS is opened with. */
export interface KeyServiceOptions {
  readonly reference: KeyReference;
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
}

/** Opens a KMS; nothing is asked of it yet. @throws ChainsError KMS_REFUSED when the settings don't say how to reach it. */
export type OpenKeyService = (options: KeyServiceOptions) => Promise<KeyService>;
