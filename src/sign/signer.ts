import type { Config } from '../config/keys.ts';
import type { Payload, Signature } from '../model/signature.ts';
import type { Secrets } from './secrets.ts';

/** Signs payloads with one key; opened once for each configuration and set of secrets. */
export interface Signer {
  sign(payload: Payload, signal?: AbortSignal): Promise<Signature>;
  close?(): Promise<void>;
}

/** Opens a signer. @throws ChainsError KEY_INVALID when there is no usable key. */
export type OpenSigner = (config: Config, secrets: Secrets) => Promise<Signer>;
