import type { Config } from '../config/keys.ts';
import type { Signature } from '../model/signature.ts';
import type { Secrets } from './secrets.ts';

/** What a signature depends on beside message and key. */
export interface SignOptions {
  /** A signature that bears a time bears none before this one: the run's completion. */
  readonly notBefore?: Date | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Signs messages with one key; opened once for each configuration and set of secrets. */
export interface Signer {
  /** A signature of the bytes as they are; what they mean is not the signer's concern. */
  sign(message: Uint8Array, options?: SignOptions): Promise<Signature>;
  close?(): Promise<void>;
}

/** Opens a signer. @throws ChainsError KEY_INVALID when there is no usable key. */
export type OpenSigner = (config: Config, secrets: Secrets) => Promise<Signer>;
