import type { Config } from '../config/keys.ts';
import { envelopeOf, preAuthEncoding } from '../keys/dsse.ts';
import type { ClusterAccess } from '../model/cluster-access.ts';
import type { SigstoreListener } from '../model/sigstore.ts';
import type { Payload, Signature, SigningKey } from '../model/signature.ts';
import type { Trust } from '../sigstore/trust.ts';
import type { Secrets } from './secrets.ts';

/** What a signature depends on besides message and key. */
interface SignOptions {
  /** The earliest time for signatures that hold one: the run's completion. */
  readonly notBefore?: Date | undefined;
  /** The same message always gets the same signature if the kind of key allows it, so that a log finds its existing entry. */
  readonly repeatable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Signs messages with one key. Opened once for each configuration and set of secrets. */
export interface Signer {
  /** Signs the bytes as they are. */
  sign(message: Uint8Array, options?: SignOptions): Promise<Signature>;
  /** The key that signs now; undefined if only each signature says it. */
  key?(): Promise<SigningKey>;
  close?(): Promise<void>;
}

/** What signers may need besides secrets. */
export interface SignerSurroundings {
  readonly trust: () => Promise<Trust>;
  readonly access: ClusterAccess;
  readonly onSigstore: SigstoreListener;
}

/** Opens a signer. @throws ChainsError KEY_INVALID when there is no usable key. */
export type OpenSigner = (
  config: Config,
  secrets: Secrets,
  surroundings?: SignerSurroundings,
) => Promise<Signer>;

/**
 * Signs a payload as it is, or, if it has a DSSE payload type, its pre-authentication encoding; then the envelope's JSON is
 * stored as the signature (behaviour.md, "Signers").
 */
export async function signPayload(
  signer: Signer,
  { bytes, dsseType }: Payload,
  options?: SignOptions,
): Promise<Signature> {
  if (dsseType === undefined) return signer.sign(bytes, options);
  const signature = await signer.sign(preAuthEncoding(dsseType, bytes), options);
  return { ...signature, bytes: envelopeOf(dsseType, bytes, signature) };
}
