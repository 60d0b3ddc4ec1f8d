import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject, listAt, member, parseBounded } from '../json.ts';
import { unavailable } from './failures.ts';

/** What names content (image specification, "Content descriptors"). */
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

/** The descriptor of content that is at hand. */
export function describeContent(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, size: bytes.length, digest: digestOf(bytes) };
}

/** A descriptor in JSON; undefined when it is none. Members that we don't know are left out. */
export function parseDescriptor(json: Json | undefined): Descriptor | undefined {
  const [mediaType, digest, size] = ['mediaType', 'digest', 'size'].map((key) => member(json, key));
  if (typeof mediaType !== 'string' || !isDigest(digest) || !isSize(size)) return undefined;
  const artifactType = member(json, 'artifactType');
  const annotations = member(json, 'annotations');
  const texts = Object.entries(isJsonObject(annotations) ? annotations : {}).flatMap(([key, value]) =>
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

/** Digests become parts of URLs: nothing but one is taken for one. */
function isDigest(value: Json | undefined): value is string {
  return typeof value === 'string' && /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(value);
}

function isSize(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** The descriptors in a manifest's `layers` or an index's `manifests`. */
export function descriptorsIn(
  json: JsonObject | undefined,
  list: 'layers' | 'manifests',
): readonly Descriptor[] {
  return listAt(json, list).flatMap((one) => parseDescriptor(one) ?? []);
}

/** @throws ChainsError STORE_UNAVAILABLE when the content is not a JSON object */
export function parseContent(bytes: Uint8Array, what: string): JsonObject {
  let json: Json | undefined;
  try {
    json = parseBounded(Buffer.from(bytes).toString('utf8'));
  } catch {
    // Said below, without the content.
  }
  if (isJsonObject(json)) return json;
  throw unavailable(`${what}: the registry gave something that is not a JSON object`);
}
