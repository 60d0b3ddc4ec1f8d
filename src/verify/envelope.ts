import { type Envelope, preAuthEncoding } from '../model/dsse.ts';
import { isJsonList, type Json, member, parseJson } from '../model/json.ts';
import { strictBase64 } from './entries.ts';

/** What a signature was made over, and the signature itself. */
export interface Signed {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * What is to be verified of a stored signature: of a DSSE envelope its one signature over the encoding of its payload,
 * which must be the stored one; of anything else the bytes as they are. A text says what is wrong with an envelope.
 */
export function signedMessage(payload: Uint8Array, stored: Uint8Array): Signed | string {
  const envelope = readEnvelope(stored);
  if (envelope === undefined) return { message: payload, signature: stored };
  const [signature, ...more] = envelope.signatures;
  if (signature === undefined || more.length > 0)
    return `the envelope has ${envelope.signatures.length} signatures, not one`;
  const [enclosed, bytes] = [strictBase64(envelope.payload), strictBase64(signature.sig)];
  if (enclosed === undefined || bytes === undefined)
    return 'the envelope is no padded standard base64 inside';
  if (!Buffer.from(enclosed).equals(payload))
    return 'the envelope encloses another payload than the stored one';
  return { message: preAuthEncoding(envelope.payloadType, payload), signature: bytes };
}

function readEnvelope(stored: Uint8Array): Envelope | undefined {
  // Signatures are DER, which starts with 0x30, raw bytes or PGP's armour; none of those is JSON.
  const json = stored[0] === 0x7b ? parsed(stored) : undefined;
  const [payloadType, payload] = [member(json, 'payloadType'), member(json, 'payload')];
  const list = member(json, 'signatures');
  if (typeof payloadType !== 'string' || typeof payload !== 'string' || !isJsonList(list)) return undefined;
  const signatures = list.map((one) => ({
    keyid: String(member(one, 'keyid') ?? ''),
    sig: String(member(one, 'sig') ?? ''),
  }));
  return { payloadType, payload, signatures };
}

function parsed(bytes: Uint8Array): Json | undefined {
  try {
    return parseJson(Buffer.from(bytes).toString('utf8'));
  } catch {
    // Raw signature bytes that happen to begin with a brace.
    return undefined;
  }
}
