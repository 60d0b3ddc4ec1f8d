import { createHash, randomBytes } from 'node:crypto';
import type { Service } from '../http/service.ts';
import { failures } from './service.ts';

/** The most bytes of a timestamp; annotations and bundles hold it. */
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
  // DER of a sequence, whatever is in it.
  if (bytes[0] !== 0x30 || bytes.length > longest) throw failures.unreadable(what, 'no timestamp');
  return bytes;
}

/** TimeStampReq (RFC 3161, 2.4.1): version 1, a SHA-256, a nonce, and the wish for the server's certificate. DER. */
export function timestampQuery(sha256: Uint8Array, nonce: Uint8Array): Uint8Array {
  const algorithm = der(0x30, Buffer.from('0609608648016503040201', 'hex'), Buffer.from('0500', 'hex'));
  const imprint = der(0x30, algorithm, der(0x04, sha256));
  const positive = Buffer.concat([Buffer.from([0x01]), nonce]);
  const isCertificateWanted = der(0x01, Buffer.from([0xff]));
  return der(0x30, der(0x02, Buffer.from([1])), imprint, der(0x02, positive), isCertificateWanted);
}

/** A value of less than 128 bytes. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}
