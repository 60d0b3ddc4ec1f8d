import type { Config } from '../config/keys.ts';
import { envelopeOf, preAuthEncoding } from '../keys/dsse.ts';
import type { ClusterAccess } from '../model/cluster-access.ts';
import type { HearSigstore } from '../model/sigstore.ts';
import type { Payload, Signature, SigningKey } from '../model/signature.ts';
import type { Trust } from '../sigstore/trust.ts';
import type { Secrets } from './secrets.ts';

/** What a signature depends on besides message and key. */
export interface SignOptions {
  /** A signature that bears a time bears none before this one: the run's completion. */
  readonly notBefore?: Date | undefined;
  /** The same message gets the same signature again, where the key's kind allows it: a log then finds what it has already. */
  readonly repeatable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Signs messages with one key; opened once for each configuration and set of secrets. */
export interface Signer {
  /** A signature of the bytes as they are; what they mean is not the signer's concern. */
  sign(message: Uint8Array, options?: SignOptions): Promise<Signature>;
  /** The key that signs now; undefined where each signature says it first. */
  key?(): Promise<SigningKey>;
  close?(): Promise<void>;
}

/** What signers may need besides secrets. */
export interface SignerSurroundings {
  readonly trust: () => Promise<Trust>;
  readonly access: ClusterAccess;
  readonly hear: HearSigstore;
}

/** Opens a signer. @throws ChainsError KEY_INVALID when there is no usable key. */
export type OpenSigner = (
  config: Config,
  secrets: Secrets,
  surroundings?: SignerSurroundings,
) => Promise<Signer>;

/**
 * Signs a payload: as it is, or, where it has a DSSE payload type, over the pre-authentication encoding; then what is
 * stored as the signature is the envelope's JSON (behaviour.md, "Signers").
 */
export async function signPayload(
  signer: Signer,
  payload: Payload,
  options: SignOptions = {},
): Promise<Signature> {
  const { bytes, dsseType } = payload;
  if (dsseType === undefined) return signer.sign(bytes, options);
  const signature = await signer.sign(preAuthEncoding(dsseType, bytes), options);
  return { ...signature, bytes: envelopeOf(dsseType, bytes, signature) };
}
