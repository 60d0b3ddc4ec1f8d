import { quote, strictBase64 } from '../text.ts';
import { type Envelope, inTotoType, preAuthEncoding, readEnvelope } from '../keys/dsse.ts';
import { isJsonObject, type Json, parseJson } from '../json.ts';
import { isStatement } from './statement.ts';

/** What was signed, and the signature itself. */
export interface Signed {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  /** The key that the envelope names; empty if it names none. */
  readonly keyId: string;
}

/**
 * What is to be verified of a stored signature: for a DSSE envelope its one signature over the encoding of its payload,
 * which must be the stored one, for anything else the bytes as they are. A string says what is wrong with an envelope.
 */
export function signedMessage(payload: Uint8Array, stored: Uint8Array): Signed | string {
  const envelope = exactEnvelope(stored);
  const isOfStatement = isStatement(parsed(payload) ?? null);
  if (envelope === undefined) {
    return isOfStatement
      ? 'the payload is an in-toto statement, which is accepted only in a DSSE envelope'
      : { message: payload, signature: stored, keyId: '' };
  }
  if (typeof envelope === 'string') return envelope;
  if (envelope.payloadType !== inTotoType)
    return `the envelope is of the type ${quote(envelope.payloadType)}, not ${inTotoType}`;
  if (!isOfStatement) return 'the envelope does not hold an in-toto statement';
  const [signature, ...more] = envelope.signatures;
  if (signature === undefined || more.length > 0)
    return `the envelope has ${envelope.signatures.length} signatures, not one`;
  const [enclosed, bytes] = [strictBase64(envelope.payload), strictBase64(signature.sig)];
  if (enclosed === undefined || bytes === undefined)
    return 'the envelope is not padded standard base64 inside';
  if (!Buffer.from(enclosed).equals(payload))
    return 'the envelope encloses another payload than the stored one';
  return {
    message: preAuthEncoding(envelope.payloadType, payload),
    signature: bytes,
    keyId: signature.keyid,
  };
}

/** Unknown members are refused, since they may be known ones that were changed. */
function exactEnvelope(stored: Uint8Array): Envelope | string | undefined {
  // Other signatures are DER, which starts with 0x30, raw bytes or PGP's armor, none of which is JSON.
  const json = stored[0] === 0x7b ? parsed(stored) : undefined;
  if (!isJsonObject(json)) return undefined;
  const envelope = readEnvelope(json);
  if (envelope === undefined) return 'the envelope is not one: payloadType, payload or signatures is missing';
  return envelope.isExact ? envelope : 'the envelope has members that DSSE does not know';
}

/** The JSON in some bytes; undefined for anything else, such as a bare signature. */
export function parsed(bytes: Uint8Array): Json | undefined {
  try {
    return parseJson(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
