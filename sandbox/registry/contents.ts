import { createHash, randomUUID } from 'node:crypto';
import { at, isJsonObject, type JsonObject, listAt, member, parseJson } from '../../src/json.ts';
import { Refusal, unknown } from './refusal.ts';

/** A manifest or index as it was pushed. */
export interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: string;
  readonly json: JsonObject;
}

const longestManifest = 4 * 1024 * 1024;

/** What one repository holds. */
export class Contents {
  readonly blobs = new Map<string, Buffer>();
  readonly tags = new Map<string, string>();
  readonly #manifests = new Map<string, StoredManifest>();
  readonly #uploads = new Map<string, Buffer>();

  /** A manifest by tag or digest. */
  manifest(reference: string): StoredManifest {
    const found = this.#manifests.get(this.tags.get(reference) ?? reference);
    if (found === undefined) throw unknown('MANIFEST');
    return found;
  }

  /** Takes a manifest, if all that it is made of is there; its subject need not be. */
  put(reference: string, bytes: Buffer, mediaType: string): StoredManifest {
    if (bytes.length > longestManifest) throw new Refusal(413, 'SIZE_INVALID', 'the manifest is too long');
    const json = parsed(bytes);
    if (json === undefined) throw new Refusal(400, 'MANIFEST_INVALID', 'the manifest is not a JSON object');
    const named = member(json, 'mediaType');
    if (named !== undefined && named !== mediaType)
      throw new Refusal(400, 'MANIFEST_INVALID', `its mediaType is ${String(named)}, not ${mediaType}`);
    const digest = digestOf(bytes);
    if (reference.includes(':') && reference !== digest)
      throw new Refusal(400, 'DIGEST_INVALID', 'the digest is not that of the content');
    for (const part of [member(json, 'config'), ...listAt(json, 'layers')]) {
      const known =
        part === undefined || this.blobs.get(String(at(part, 'digest')))?.length === at(part, 'size');
      if (!known) throw new Refusal(400, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry');
    }
    for (const part of listAt(json, 'manifests'))
      if (!this.#manifests.has(String(at(part, 'digest'))))
        throw new Refusal(400, 'MANIFEST_BLOB_UNKNOWN', 'manifest unknown to registry');
    const stored = { bytes, mediaType, digest, json };
    this.#manifests.set(digest, stored);
    if (!reference.includes(':')) this.tags.set(reference, digest);
    return stored;
  }

  /** Descriptors of the manifests that refer to a digest. */
  referrers(digest: string): readonly JsonObject[] {
    return [...this.#manifests.values()]
      .filter(({ json }) => at(json, 'subject', 'digest') === digest)
      .map(({ json, mediaType, digest: own, bytes }) => ({
        mediaType,
        digest: own,
        size: bytes.length,
        artifactType: member(json, 'artifactType') ?? at(json, 'config', 'mediaType'),
        annotations: member(json, 'annotations'),
      }));
  }

  /** Begins an upload, and gives its id. */
  begin(): string {
    const id = randomUUID();
    this.#uploads.set(id, Buffer.alloc(0));
    return id;
  }

  /** Adds to an upload, and gives its length. @param start where the client thinks that it goes on */
  append(id: string, chunk: Buffer, start: number | undefined): number {
    const before = this.#uploads.get(id);
    if (before === undefined) throw unknown('BLOB_UPLOAD');
    if (start !== undefined && start !== before.length)
      throw new Refusal(416, 'BLOB_UPLOAD_INVALID', `the upload goes on at ${before.length}`);
    const after = Buffer.concat([before, chunk]);
    this.#uploads.set(id, after);
    return after.length;
  }

  /** Ends an upload, which becomes the blob of that digest. */
  finish(id: string, last: Buffer, digest: string): void {
    this.append(id, last, undefined);
    const bytes = this.#uploads.get(id) ?? last;
    this.#uploads.delete(id);
    if (digestOf(bytes) !== digest)
      throw new Refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
    this.blobs.set(digest, bytes);
  }
}

/** `sha256:…` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function parsed(bytes: Buffer): JsonObject | undefined {
  try {
    const json = parseJson(bytes.toString('utf8'));
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}
