import { setTimeout as pause } from 'node:timers/promises';
import { listAt } from '../../json.ts';
import type { RepositoryClient } from '../../registry/client.ts';
import { type Descriptor, descriptorsIn, imageManifest } from '../../registry/content.ts';
import { refused, unavailable } from '../../registry/failures.ts';
import { repositoryName } from '../../registry/repository.ts';
import type { Layer } from './layers.ts';

/** What is to be added to the manifest or index under a tag, next to what others put there. */
export interface TagEntry {
  readonly mediaType: string;
  /** The member of the manifest or index that the entry is added to. */
  readonly list: 'layers' | 'manifests';
  /** Whether it is among these, in this form or an equal one. */
  isIn(listed: readonly Descriptor[]): Promise<boolean>;
  /** Pushes what it refers to. @returns its descriptor, and other members of the manifest that change with it */
  push(
    listed: readonly Descriptor[],
  ): Promise<{ readonly descriptor: Descriptor; readonly config?: Descriptor }>;
}

/** What writing an entry needs besides the entry. */
export interface WriteOptions {
  readonly turns: TagTurns;
  /** The path of another repository of this registry that may have the content. */
  readonly from?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How often the tag is looked at, the entry written to it, and written without a trace of it afterwards. */
const [mostTries, mostWrites, mostUnseen] = [100, 24, 3];
/** Milliseconds. */
const [shortestWatch, longestWatch] = [200, 5_000];

/**
 * Adds an entry to what a tag holds. A registry takes any manifest for a tag, whatever it replaces, so two writers can
 * undo each other. Hence the tag is looked at again right before the write; and after it for a while, longer than another
 * writer needs from its last look to its write, and if the entry is gone it is added again.
 */
export async function addToTag(
  client: RepositoryClient,
  tag: string,
  entry: TagEntry,
  { turns, signal }: WriteOptions,
): Promise<void> {
  const name = `${repositoryName(client.repository)}:${tag}`;
  let [written, unseen] = [0, 0];
  let before: string | undefined;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const { took, seen } = await turns.take(name, () => addOnce(client, tag, entry));
    if (took === 'there') return;
    // While others write, the content differs each time; when it stays the same, our write had no effect.
    if (written > 0 && seen === before) unseen += 1;
    before = seen;
    if (unseen === mostUnseen)
      throw unavailable(`${name}: the registry took what was written ${written} times, and doesn't show it`);
    if (written === mostWrites) break;
    if (took === 'raced') {
      await pause(Math.random() * Math.min(1_000, 20 * (tries + 1)), undefined, { signal });
      continue;
    }
    written += 1;
    const watch = Math.min(longestWatch, Math.max(shortestWatch, 8 * took));
    await pause(watch * (1 + Math.random()), undefined, { signal });
  }
  throw unavailable(`${name}: others kept writing there; it was written ${written} times and is gone again`);
}

interface Added {
  /** `there`, `raced` when another writer was faster, or the milliseconds that the write took. */
  readonly took: 'there' | 'raced' | number;
  /** The digest of the tag before. */
  readonly seen: string | undefined;
}

async function addOnce(client: RepositoryClient, tag: string, entry: TagEntry): Promise<Added> {
  const read = performance.now();
  const before = await client.readManifest(tag);
  const seen = before?.descriptor.digest;
  const { list, mediaType } = entry;
  if (before !== undefined && !Array.isArray(before.json[list]))
    throw refused(`${before.descriptor.digest} is under the tag ${tag} and has no ${list}`);
  const listed = descriptorsIn(before?.json, list);
  if (await entry.isIn(listed)) return { took: 'there', seen };
  const { descriptor, ...members } = await entry.push(listed);
  const all = [...listAt(before?.json, list), descriptor];
  const json = { schemaVersion: 2, mediaType, ...before?.json, ...members, [list]: all };
  const looked = performance.now();
  const now = await client.resolveTag(tag);
  if (now !== undefined && now.digest !== seen) return { took: 'raced', seen };
  await client.pushManifest(tag, Buffer.from(JSON.stringify(json), 'utf8'), mediaType);
  return { took: performance.now() - (now === undefined ? read : looked), seen };
}

/** Lets writers of one tag in this process take turns; writers in other processes are not known. */
export class TagTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work when all earlier work under this name is done. */
  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.#last.get(name) ?? Promise.resolve()).then(work, work);
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }
}

/** Adds a layer to the manifest under a tag, next to the layers of others. */
export async function addLayer(
  client: RepositoryClient,
  tag: string,
  layer: Layer,
  options: WriteOptions,
): Promise<void> {
  const known = new Map<string, Promise<boolean>>();
  /** A layer's content never changes, so each is read once, however often others write. */
  const isIn = (other: Descriptor): Promise<boolean> => {
    const key = JSON.stringify(other);
    const result = known.get(key) ?? layer.isIn(other, () => client.readBlob(other));
    known.set(key, result);
    return result;
  };
  const entry: TagEntry = {
    mediaType: imageManifest,
    list: 'layers',
    async isIn(layers) {
      for (const other of layers) if (isCandidate(other, layer) && (await isIn(other))) return true;
      return false;
    },
    async push(layers) {
      const pushed = await client.pushBlob(layer.bytes, layer.mediaType, options.from);
      const digests = [...layers, pushed].map(({ digest }) => digest);
      const config = await client.pushBlob(configOf(digests), 'application/vnd.oci.image.config.v1+json');
      return { config, descriptor: { ...pushed, annotations: layer.annotations } };
    },
  };
  await addToTag(client, tag, entry, options);
}

/** Only attestations of the same predicate type can be equal; the others need not be read. */
function isCandidate({ mediaType, annotations }: Descriptor, layer: Layer): boolean {
  const type = layer.annotations['predicateType'];
  return mediaType === layer.mediaType && annotations?.['predicateType'] === type;
}

/** An image's configuration, as empty as it can be (image specification, "Image configuration"). */
function configOf(layers: readonly string[]): Uint8Array {
  const created = '0001-01-01T00:00:00Z';
  const config = {
    architecture: '',
    created,
    history: layers.map(() => ({ created })),
    os: '',
    rootfs: { type: 'layers', diff_ids: layers },
    config: {},
  };
  return Buffer.from(JSON.stringify(config), 'utf8');
}
