import { ChainsError } from '../errors.ts';
import { type Exchange, placeOf, type RegistryAnswer, resolveTarget } from './exchange.ts';
import { unavailable } from './failures.ts';
import type { Session } from './session.ts';

/** What is to be uploaded, and where. */
export interface BlobUpload {
  readonly bytes: Uint8Array;
  readonly digest: string;
  /** Where uploads to the repository begin. */
  readonly start: URL;
  /** A repository of the same registry that has it already. */
  readonly from?: string | undefined;
}

/** What goes in one request; some registries take no smaller chunk than 5 MiB, so this is well above. */
const oneRequest = 16 * 1024 * 1024;
/** Small enough for proxies that allow no more than 1 MiB, as many do by default. */
const smallChunk = 768 * 1024;

/**
 * Uploads a blob (distribution specification, "Pushing blobs"): mounted from another repository where the registry can do
 * that, in one piece, or in chunks when it is too long or a server on the way says that one piece is.
 */
export async function upload(blob: BlobUpload, session: Session): Promise<void> {
  const { bytes, digest } = blob;
  const begun = await begin(blob, session);
  if (begun === undefined) return;
  if (bytes.length > oneRequest) return inChunks(blob, oneRequest, begun, session);
  try {
    await finish(bytes, digest, begun.location, session);
  } catch (error) {
    if (!(error instanceof ChainsError) || error.status !== 413 || bytes.length <= smallChunk) throw error;
    const again = await begin({ ...blob, from: undefined }, session);
    if (again !== undefined) await inChunks(blob, smallChunk, again, session);
  }
}

interface BegunUpload {
  readonly location: URL;
  /** The fewest bytes that a chunk may have, except for the last one. */
  readonly atLeast: number;
}

/** Undefined when the blob was mounted, so that nothing is left to upload. */
async function begin(
  { digest, start, from }: BlobUpload,
  session: Session,
): Promise<BegunUpload | undefined> {
  // Not every credential may read the other repository, so a refusal is no error.
  const mount = from && new URL(`?${new URLSearchParams({ mount: digest, from }).toString()}`, start);
  const mounted = mount ? await session.attempt(post(mount)) : undefined;
  if (mounted?.status === 201) return undefined;
  // A registry that can't mount begins an upload instead.
  const answer = mounted?.status === 202 ? mounted : await session.request([202], post(start));
  const atLeast = Number(answer.header('oci-chunk-min-length')[0] ?? 0);
  return { location: locationIn(answer, start), atLeast: Number.isSafeInteger(atLeast) ? atLeast : 0 };
}

function post(url: URL): Exchange {
  return { method: 'POST', url, headers: { 'content-length': '0' } };
}

async function inChunks(
  { bytes, digest }: BlobUpload,
  size: number,
  { location, atLeast }: BegunUpload,
  session: Session,
): Promise<void> {
  const step = Math.max(size, atLeast);
  let url = location;
  for (let offset = 0; offset < bytes.length; offset += step) {
    const body = bytes.subarray(offset, offset + step);
    const range = `${offset}-${offset + body.length - 1}`;
    const headers = { 'content-type': 'application/octet-stream', 'content-range': range };
    const answer = await session.request([202, 204], { method: 'PATCH', url, headers, body });
    url = locationIn(answer, url);
  }
  await finish(new Uint8Array(), digest, url, session);
}

async function finish(body: Uint8Array, digest: string, location: URL, session: Session): Promise<void> {
  const url = new URL(location);
  // Appended as text, since the registry's own query must come back exactly as it was given.
  url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
  const headers = { 'content-type': 'application/octet-stream' };
  const answer = await session.request([201], { method: 'PUT', url, headers, body });
  checkKept(answer, digest, placeOf(url));
}

/** @throws ChainsError STORE_UNAVAILABLE when the registry names another digest than that of what was sent */
export function checkKept(answer: RegistryAnswer, digest: string, what: string): void {
  const named = answer.header('docker-content-digest')[0];
  if (named !== undefined && named !== digest)
    throw unavailable(`${what}: the registry says that it keeps other content than was sent`);
}

function locationIn(answer: RegistryAnswer, asked: URL): URL {
  const [location] = answer.header('location');
  if (location === undefined) throw unavailable(`${placeOf(asked)}: no Location for the upload`);
  const named = URL.parse(location, asked.href);
  // Registries behind proxies often name their own scheme instead of the proxy's.
  if (named?.host === asked.host) named.protocol = asked.protocol;
  return resolveTarget(named?.href ?? location, asked, 'Location for the upload');
}
