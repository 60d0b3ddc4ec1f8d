import { createHash, randomBytes } from 'node:crypto';
import type { Service } from '../http/service.ts';
import { failures } from './service.ts';

/** The largest timestamp in bytes, since annotations and bundles hold it. */
const longest = 64 * 1024;

/** Asks a timestamp server for a timestamp of a signature. @returns RFC 3161's response, DER @throws ChainsError WITNESS_… */
export async function requestTimestamp(
  service: Service,
  url: string,
  signature: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const what = `get a timestamp from ${url}`;
  const { bytes } = await service.call({
    what,
    method: 'POST',
    url,
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: timestampQuery(createHash('sha256').update(signature).digest(), randomBytes(8)),
    signal,
  });
  // A DER sequence; what it holds is verified later.
  if (bytes[0] !== 0x30 || bytes.length > longest) throw failures.unreadable(what, 'no timestamp');
  return bytes;
}

/** TimeStampReq (RFC 3161, 2.4.1) in DER: version 1, a SHA-256, a nonce, and a request for the server's certificate. */
export function timestampQuery(sha256: Uint8Array, nonce: Uint8Array): Uint8Array {
  const algorithm = der(0x30, Buffer.from('0609608648016503040201', 'hex'), Buffer.from('0500', 'hex'));
  const imprint = der(0x30, algorithm, der(0x04, sha256));
  // A leading 1 keeps the number positive.
  const number = der(0x02, Buffer.of(1), nonce);
  const certificateRequest = der(0x01, Buffer.of(0xff));
  return der(0x30, der(0x02, Buffer.of(1)), imprint, number, certificateRequest);
}

/** A DER value of less than 128 bytes. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, content.length), content]);
}
