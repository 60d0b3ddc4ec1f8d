import { envelopeOf, preAuthEncoding } from '../keys/dsse.ts';
import type { Payload, Signature } from '../model/signature.ts';
import type { Signer, SignOptions } from './signer.ts';

/**
 * Signs a payload: as it is, or, where it has a DSSE payload type, over the pre-authentication encoding; then what is
 * stored as the signature is the envelope's JSON (behaviour.md, “Signers”).
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
