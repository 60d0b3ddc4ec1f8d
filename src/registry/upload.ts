import { ChainsError } from '../errors.ts';
import { type RegistryAnswer, type Exchange, ledTo } from './exchange.ts';
import { unavailable } from './failures.ts';

/** What is to be uploaded. */
export interface BlobUpload {
  readonly bytes: Uint8Array;
  readonly digest: string;
  /** A repository of the same registry that has it already. */
  readonly from?: string;
}

/** How an upload speaks to its registry. */
export interface UploadPath {
  /** Where uploads begin. */
  readonly start: URL;
  /** Makes a request, and rejects when the answer has another status. */
  readonly expect: (statuses: readonly number[], request: Exchange) => Promise<RegistryAnswer>;
  /** Makes a request that may be refused. */
  readonly attempt: (request: Exchange) => Promise<RegistryAnswer>;
}

/** What goes in one request; some registries take no smaller chunk than 5 MiB, so this is well above. */
const oneRequest = 16 * 1024 * 1024;
/** Small enough for proxies that allow no more than 1 MiB, as many do by default. */
const smallChunk = 768 * 1024;

/**
 * Uploads a blob (distribution specification, "Pushing blobs"): mounted from another repository where the registry can do
 * that, in one piece, or in chunks when it is too long or a server on the way says that one piece is.
 */
export async function upload(what: BlobUpload, path: UploadPath): Promise<void> {
  const session = await begin(what, path);
  if (session === undefined) return;
  if (what.bytes.length > oneRequest) return inChunks(what.bytes, oneRequest, what.digest, session, path);
  try {
    await finish(what.bytes, what.digest, session.location, path);
  } catch (error) {
    if (!(error instanceof ChainsError) || error.status !== 413 || what.bytes.length <= smallChunk)
      throw error;
    const { bytes, digest } = what;
    const again = await begin({ bytes, digest }, path);
    if (again !== undefined) await inChunks(bytes, smallChunk, digest, again, path);
  }
}

interface UploadSession {
  readonly location: URL;
  /** The least bytes of a chunk, but for the last one. */
  readonly atLeast: number;
}

/** Undefined when the blob is there by a mount. */
async function begin({ digest, from }: BlobUpload, path: UploadPath): Promise<UploadSession | undefined> {
  const mounted = from === undefined ? undefined : await mount(digest, from, path);
  if (mounted?.status === 201) return undefined;
  // A registry that can't mount begins an upload instead.
  const answer = mounted?.status === 202 ? mounted : await path.expect([202], post(path.start));
  const atLeast = Number(answer.header('oci-chunk-min-length')[0] ?? 0);
  return { location: locationIn(answer, path.start), atLeast: Number.isSafeInteger(atLeast) ? atLeast : 0 };
}

/** We may have no right to read there. */
function mount(digest: string, from: string, { start, attempt }: UploadPath): Promise<RegistryAnswer> {
  const url = new URL(start);
  url.searchParams.set('mount', digest);
  url.searchParams.set('from', from);
  return attempt(post(url));
}

function post(url: URL): Exchange {
  return { method: 'POST', url, headers: { 'content-length': '0' } };
}

async function inChunks(
  bytes: Uint8Array,
  size: number,
  digest: string,
  { location, atLeast }: UploadSession,
  path: UploadPath,
): Promise<void> {
  const step = Math.max(size, atLeast);
  let url = location;
  for (let offset = 0; offset < bytes.length; offset += step) {
    const body = bytes.subarray(offset, offset + step);
    const range = `${offset}-${offset + body.length - 1}`;
    const headers = { 'content-type': 'application/octet-stream', 'content-range': range };
    const answer = await path.expect([202, 204], { method: 'PATCH', url, headers, body });
    url = locationIn(answer, url);
  }
  await finish(new Uint8Array(), digest, url, path);
}

async function finish(
  body: Uint8Array,
  digest: string,
  location: URL,
  { expect }: UploadPath,
): Promise<void> {
  const url = new URL(location);
  // As text: what is there already is the registry's own, and must come back as it was given.
  url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
  const headers = { 'content-type': 'application/octet-stream' };
  const answer = await expect([201], { method: 'PUT', url, headers, body });
  const named = answer.header('docker-content-digest')[0];
  if (named !== undefined && named !== digest)
    throw unavailable(
      `${url.origin}${url.pathname}: the registry says that it keeps other content than was sent`,
    );
}

/** Registries behind proxies often name their own scheme, not the one that they were asked by. */
function locationIn(answer: RegistryAnswer, asked: URL): URL {
  const [location] = answer.header('location');
  if (location === undefined)
    throw unavailable(`${asked.origin}${asked.pathname}: no Location for the upload`);
  const named = URL.parse(location, asked.href);
  if (named?.host === asked.host) named.protocol = asked.protocol;
  return ledTo(named?.href ?? location, asked, 'Location for the upload');
}
