import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject, listAt, objectIn, parseBounded } from '../json.ts';
import { unavailable } from './failures.ts';

/** What identifies content (image specification, "Content descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest or index as it was read, its bytes checked against its digest. */
export interface Manifest {
  readonly descriptor: Descriptor;
  readonly json: JsonObject;
}

/** Media types of manifests and indexes. */
export const imageManifest = 'application/vnd.oci.image.manifest.v1+json';
export const imageIndex = 'application/vnd.oci.image.index.v1+json';

/** `sha256:` and the hex digits. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The descriptor of these bytes. */
export function describeContent(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, size: bytes.length, digest: digestOf(bytes) };
}

/** The descriptors in a manifest's `layers` or an index's `manifests`; members that we don't know are left out. */
export function descriptorsIn(
  json: JsonObject | undefined,
  list: 'layers' | 'manifests',
): readonly Descriptor[] {
  return listAt(json, list).flatMap((one) => parseDescriptor(objectIn(one)) ?? []);
}

function parseDescriptor(json: JsonObject): Descriptor | undefined {
  const { mediaType, digest, size, artifactType, annotations } = json;
  if (typeof mediaType !== 'string' || !isDigest(digest) || !isSize(size)) return undefined;
  const texts = Object.entries(objectIn(annotations)).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  );
  return {
    mediaType,
    digest,
    size,
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    annotations: Object.fromEntries(texts),
  };
}

/** Strict, since digests become parts of URLs. */
function isDigest(value: Json | undefined): value is string {
  return typeof value === 'string' && /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(value);
}

function isSize(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Bytes from outside as JSON; undefined when they are not, such as a proxy's page. */
export function jsonIn(bytes: Uint8Array): Json | undefined {
  try {
    return parseBounded(Buffer.from(bytes).toString('utf8'));
  } catch {
    // The parser's message is dropped, since it would quote the answer.
    return undefined;
  }
}

/** @throws ChainsError STORE_UNAVAILABLE when the content is not a JSON object */
export function parseContent(bytes: Uint8Array, what: string): JsonObject {
  const json = jsonIn(bytes);
  if (isJsonObject(json)) return json;
  throw unavailable(`${what}: the registry gave something that is not a JSON object`);
}
