import { crc32c } from '../../http/crc32c.ts';
import { ChainsError } from '../../errors.ts';
import { member } from '../../json.ts';
import type { GoogleService } from '../../http/google.ts';
import type { ServiceAnswer, ServiceCall } from '../../http/service.ts';
import { unreadable } from '../failures.ts';

/** An object to write. */
interface ObjectUpload {
  /** For messages: `write gs://bucket/object`. */
  readonly what: string;
  readonly bucket: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The generation that the object must have; `0`: there must be none. */
  readonly ifGenerationMatch: string;
  readonly signal?: AbortSignal | undefined;
  readonly hint?: string;
}

/** Objects of up to this many bytes go in one request, as the service's documentation recommends. */
const simpleLimit = 5 * 1024 * 1024;
/** A chunk of a resumable upload in bytes; must be a multiple of 256 KiB. */
const chunkSize = 8 * 1024 * 1024;
/** How often a resumable upload is resumed after a failure. */
const resumptions = 3;

const type = 'application/octet-stream';

/**
 * Writes an object, whose CRC-32C both the service and we check.
 * @returns false when the object is of another generation; nothing is written then
 * @throws ChainsError STORE_REFUSED or STORE_UNAVAILABLE
 */
export async function upload(google: GoogleService, given: ObjectUpload): Promise<boolean> {
  const send = given.bytes.length <= simpleLimit ? simple : resumable;
  const answer = await send(google, given);
  if (answer.status === 412) return false;
  if (answer.body === undefined) throw unreadable(given.what, 'no JSON');
  const checksum = member(answer.body, 'crc32c');
  if (checksum === checksumOf(given.bytes)) return true;
  throw new ChainsError('STORE_UNAVAILABLE', `${given.what}: it arrived damaged: its CRC32C does not match`);
}

/** The big-endian CRC-32C in base64, as the JSON API writes it. */
function checksumOf(bytes: Uint8Array): string {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(crc32c(bytes));
  return four.toString('base64');
}

function simple(google: GoogleService, given: ObjectUpload): Promise<ServiceAnswer> {
  const boundary = crypto.randomUUID();
  const body = Buffer.concat([
    Buffer.from(`--${boundary}\r\ncontent-type: application/json\r\n\r\n${metadataOf(given)}\r\n`),
    Buffer.from(`--${boundary}\r\ncontent-type: ${type}\r\n\r\n`),
    given.bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const headers = { 'content-type': `multipart/related; boundary=${boundary}` };
  return google.call({ ...start(given, 'multipart'), headers, body });
}

/** Opens a session and sends chunks; after a failure asks the service how far it got, and sends the rest. */
async function resumable(google: GoogleService, given: ObjectUpload): Promise<ServiceAnswer> {
  const { what, bytes, signal } = given;
  const headers = {
    'content-type': 'application/json',
    'x-upload-content-type': type,
    'x-upload-content-length': `${bytes.length}`,
  };
  const opened = await google.call({ ...start(given, 'resumable'), headers, body: metadataOf(given) });
  if (opened.status === 412) return opened;
  const session = opened.headers['location'];
  if (typeof session !== 'string') throw unreadable(what, 'no address of a session');
  const put = (range: string, body: Uint8Array): Promise<ServiceAnswer> => {
    const headers = { 'content-range': `bytes ${range}/${bytes.length}` };
    return google.call({ what, method: 'PUT', url: session, headers, body, expects: [308, 412], signal });
  };
  for (let offset = 0, left = resumptions; ; ) {
    const end = Math.min(offset + chunkSize, bytes.length);
    const answer = await put(`${offset}-${end - 1}`, bytes.subarray(offset, end)).catch((error: unknown) => {
      if (left === 0 || !(error instanceof ChainsError) || error.code !== 'STORE_UNAVAILABLE') throw error;
      return put('*', new Uint8Array());
    });
    if (answer.status !== 308) return answer;
    offset = received(answer);
    if (offset < end) left -= 1;
    if (left < 0) {
      throw new ChainsError('STORE_UNAVAILABLE', `${what}: the service keeps only part of what it is sent`);
    }
  }
}

/** How many bytes the service has (`Range: bytes=0-42`). */
function received({ headers }: ServiceAnswer): number {
  const last = /^bytes=0-(\d+)$/.exec(String(headers['range']))?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}

function start(
  { what, bucket, ifGenerationMatch, signal, hint }: ObjectUpload,
  uploadType: string,
): ServiceCall {
  const query = new URLSearchParams({ uploadType, ifGenerationMatch }).toString();
  const url = `/upload/storage/v1/b/${encodeURIComponent(bucket)}/o?${query}`;
  return { what, method: 'POST', url, expects: [412], signal, hint };
}

function metadataOf({ name, bytes }: ObjectUpload): string {
  return JSON.stringify({ name, contentType: type, crc32c: checksumOf(bytes) });
}
