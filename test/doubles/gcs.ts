import { createHash, randomUUID } from 'node:crypto';
import { crc32c } from '../../src/http/crc32c.ts';
import type { GateAnswer, GateRequest, Respond } from './gate.ts';
import { googleError } from './google-front.ts';

/** An object of a bucket. */
export interface StoredObject {
  readonly bytes: Buffer;
  readonly generation: string;
}

/** A Cloud Storage without its network: the JSON API's uploads, downloads, lists and deletions. */
export interface GcsDouble {
  readonly respond: Respond;
  readonly buckets: Map<string, Map<string, StoredObject>>;
  /** Tells a wrong checksum of what is written. */
  damaged: boolean;
}

interface Metadata {
  readonly name: string;
  readonly crc32c?: string;
}

interface Session {
  readonly bucket: string;
  readonly metadata: Metadata;
  readonly ifGenerationMatch: string | null;
  bytes: Buffer;
}

/** Few, so that lists have pages. */
const pageSize = 2;

/** Makes a Cloud Storage with these empty buckets. */
export function createGcs(names: readonly string[]): GcsDouble {
  const buckets: GcsDouble['buckets'] = new Map(names.map((name) => [name, new Map()]));
  const sessions = new Map<string, Session>();
  let generation = 1_700_000_000_000_000;
  const double: GcsDouble = { respond, buckets, damaged: false };
  return double;

  function respond(request: GateRequest): GateAnswer {
    const { method, url } = request;
    const uploadId = url.searchParams.get('upload_id');
    if (method === 'PUT' && uploadId !== null) return proceed(request, uploadId);
    const [, upload, bucketName = '', rest = ''] =
      /^(\/upload)?\/storage\/v1\/b\/([^/]+)\/o\/?([^/]*)$/.exec(url.pathname) ?? [];
    const bucket = buckets.get(decodeURIComponent(bucketName));
    if (bucket === undefined) return googleError(404, 'notFound', 'The specified bucket does not exist.');
    if (upload !== undefined) return begin(request, decodeURIComponent(bucketName), bucket);
    if (rest === '' && method === 'GET') return list(bucket, url.searchParams);
    const name = decodeURIComponent(rest);
    const found = bucket.get(name);
    if (found === undefined) {
      return url.searchParams.get('alt') === 'media'
        ? { status: 404, bytes: Buffer.from(`No such object: ${bucketName}/${name}`) }
        : googleError(404, 'notFound', `No such object: ${bucketName}/${name}`);
    }
    if (method === 'DELETE') {
      bucket.delete(name);
      return { status: 204 };
    }
    if (url.searchParams.get('alt') !== 'media') return { status: 200, json: resource(name, found) };
    const hash = `crc32c=${checksum(found.bytes)},md5=${md5(found.bytes)}`;
    return {
      status: 200,
      headers: {
        'content-type': 'application/octet-stream',
        'x-goog-generation': found.generation,
        'x-goog-hash': hash,
      },
      bytes: found.bytes,
    };
  }

  function list(bucket: Map<string, StoredObject>, query: URLSearchParams): GateAnswer {
    const prefix = query.get('prefix') ?? '';
    const names = [...bucket.keys()].filter((name) => name.startsWith(prefix)).toSorted();
    const from = Number(query.get('pageToken') ?? 0);
    const items = names.slice(from, from + pageSize).flatMap((name) => {
      const found = bucket.get(name);
      return found === undefined ? [] : [resource(name, found)];
    });
    const next = from + pageSize < names.length ? { nextPageToken: `${from + pageSize}` } : {};
    return {
      status: 200,
      json: { kind: 'storage#objects', ...(items.length > 0 ? { items } : {}), ...next },
    };
  }

  function begin(
    { url, headers, body }: GateRequest,
    bucketName: string,
    bucket: Map<string, StoredObject>,
  ): GateAnswer {
    const ifGenerationMatch = url.searchParams.get('ifGenerationMatch');
    if (url.searchParams.get('uploadType') === 'multipart') {
      const [metadata, bytes] = partsOf(body, String(headers['content-type']));
      return finish(bucket, metadata, bytes, ifGenerationMatch);
    }
    const metadata = JSON.parse(body.toString('utf8')) as Metadata;
    const refused = mismatch(bucket.get(metadata.name), ifGenerationMatch);
    if (refused !== undefined) return refused;
    const id = randomUUID();
    sessions.set(id, { bucket: bucketName, metadata, ifGenerationMatch, bytes: Buffer.alloc(0) });
    const location = new URL(url);
    location.searchParams.set('upload_id', id);
    location.protocol = 'https:';
    return { status: 200, headers: { location: location.href } };
  }

  function proceed({ headers, body }: GateRequest, id: string): GateAnswer {
    const session = sessions.get(id);
    if (session === undefined) return googleError(404, 'notFound', 'No such upload.');
    const [, first, last, total] =
      /^bytes (?:\*|(\d+)-(\d+))\/(\d+)$/.exec(String(headers['content-range'])) ?? [];
    if (total === undefined) return googleError(400, 'invalid', 'Failed to parse Content-Range header.');
    if (first !== undefined) {
      if (Number(first) !== session.bytes.length || Number(last) - Number(first) + 1 !== body.length) {
        return googleError(503, 'backendError', 'Invalid request: the range is not what is expected.');
      }
      const isLast = Number(last) + 1 === Number(total);
      if (!isLast && body.length % (256 * 1024) !== 0) {
        return googleError(400, 'invalid', 'The chunk is not a multiple of 256 KiB.');
      }
      session.bytes = Buffer.concat([session.bytes, body]);
    }
    if (session.bytes.length < Number(total)) return unfinished(session);
    const bucket = buckets.get(session.bucket) ?? new Map<string, StoredObject>();
    return finish(bucket, session.metadata, session.bytes, session.ifGenerationMatch);
  }

  function finish(
    bucket: Map<string, StoredObject>,
    { name, crc32c: expected }: Metadata,
    bytes: Buffer,
    ifGenerationMatch: string | null,
  ): GateAnswer {
    const refused = mismatch(bucket.get(name), ifGenerationMatch);
    if (refused !== undefined) return refused;
    if (expected !== undefined && expected !== checksum(bytes)) {
      return googleError(400, 'invalid', `Provided CRC32C "${expected}" doesn't match calculated CRC32C.`);
    }
    generation += 1;
    const stored = { bytes, generation: `${generation}` };
    bucket.set(name, stored);
    return { status: 200, json: resource(name, stored) };
  }

  function resource(name: string, { bytes, generation }: StoredObject) {
    const told = double.damaged ? checksum(Buffer.concat([bytes, bytes])) : checksum(bytes);
    return {
      kind: 'storage#object',
      name,
      generation,
      size: `${bytes.length}`,
      crc32c: told,
      md5Hash: md5(bytes),
    };
  }
}

/** 308 says how much of an upload there is; no header where there is nothing. */
function unfinished({ bytes }: Session): GateAnswer {
  return { status: 308, headers: bytes.length === 0 ? {} : { range: `bytes=0-${bytes.length - 1}` } };
}

function mismatch(found: StoredObject | undefined, ifGenerationMatch: string | null): GateAnswer | undefined {
  if (ifGenerationMatch === null || ifGenerationMatch === (found?.generation ?? '0')) return undefined;
  return googleError(
    412,
    'conditionNotMet',
    'At least one of the pre-conditions you specified did not hold.',
  );
}

/** The two parts of a `multipart/related` body: metadata and content. */
function partsOf(body: Buffer, contentType: string): readonly [Metadata, Buffer] {
  const boundary = /boundary=(\S+)/.exec(contentType)?.[1] ?? '';
  const [, first = Buffer.alloc(0), second = Buffer.alloc(0)] = split(body, Buffer.from(`--${boundary}`));
  const content = (part: Buffer) => part.subarray(part.indexOf('\r\n\r\n') + 4, part.length - 2);
  return [JSON.parse(content(first).toString('utf8')) as Metadata, content(second)];
}

function split(whole: Buffer, mark: Buffer): readonly Buffer[] {
  const end = whole.indexOf(mark);
  return end < 0 ? [whole] : [whole.subarray(0, end), ...split(whole.subarray(end + mark.length), mark)];
}

function checksum(bytes: Uint8Array): string {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(crc32c(bytes));
  return four.toString('base64');
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}
