import { isJsonList, isJsonObject, type Json, objectIn } from '../json.ts';
import type { Signature } from '../model/signature.ts';
import { base64 } from './pem.ts';

/** The DSSE payload type of in-toto statements. */
export const inTotoType = 'application/vnd.in-toto+json';

/** An envelope as it is stored (DSSE 1.0). */
export interface Envelope {
  readonly payloadType: string;
  /** Standard base64. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** An envelope that was read. */
interface ReadEnvelope extends Envelope {
  /** Whether it has no members but those that DSSE defines. */
  readonly isExact: boolean;
}

/** Reads the JSON of an envelope; undefined for anything else. Incomplete signatures are left out. */
export function readEnvelope(json: Json | undefined): ReadEnvelope | undefined {
  if (!isJsonObject(json)) return undefined;
  const { payloadType, payload, signatures: list, ...unknown } = json;
  if (typeof payloadType !== 'string' || typeof payload !== 'string' || !isJsonList(list)) return undefined;
  const read = list.flatMap((one) => {
    const { keyid = '', sig, ...others } = objectIn(one);
    const isSignature = typeof sig === 'string' && typeof keyid === 'string';
    return isSignature ? [{ signature: { keyid, sig }, isExact: Object.keys(others).length === 0 }] : [];
  });
  return {
    payloadType,
    payload,
    signatures: read.map(({ signature }) => signature),
    isExact:
      Object.keys(unknown).length === 0 &&
      read.length === list.length &&
      read.every(({ isExact }) => isExact),
  };
}

/** The JSON of an envelope with one signature. */
export function envelopeOf(
  payloadType: string,
  payload: Uint8Array,
  { key, bytes }: Pick<Signature, 'key' | 'bytes'>,
): Uint8Array {
  const envelope: Envelope = {
    payloadType,
    payload: base64(payload),
    signatures: [{ keyid: key.keyId, sig: base64(bytes) }],
  };
  return Buffer.from(JSON.stringify(envelope), 'utf8');
}

/** The bytes that a DSSE signature signs: the pre-authentication encoding of type and payload (DSSE 1.0, "Protocol"). */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head, 'utf8'), payload]);
}
