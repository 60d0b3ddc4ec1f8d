/** The DSSE payload type of in-toto statements. */
export const inTotoType = 'application/vnd.in-toto+json';

/** An envelope as it is stored (DSSE 1.0). */
export interface Envelope {
  readonly payloadType: string;
  /** Standard base64. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** The bytes that a DSSE signature is made over: the pre-authentication encoding of type and payload (DSSE 1.0, “Protocol”). */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head, 'utf8'), payload]);
}
