import { setTimeout as pause } from 'node:timers/promises';
import type { RepositoryClient } from '../../registry/client.ts';
import type { Manifest } from '../../registry/content.ts';
import { unavailable } from '../../registry/failures.ts';
import { repositoryName } from '../../registry/repository.ts';

/** What is to be added to a tag, next to what others put there. */
export interface TagEntry {
  /** Whether it is there, in this form or an equal one. */
  isIn(manifest: Manifest | undefined): Promise<boolean>;
  /** The manifest with it added, and its media type; what that refers to has been pushed. */
  addTo(manifest: Manifest | undefined): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string }>;
}

/** What writing a tag needs besides the entry. */
export interface TagOptions {
  readonly turns: TagTurns;
  readonly signal?: AbortSignal | undefined;
}

/** How often the tag is looked at, the entry written to it, and written without a trace of it afterwards. */
const [mostTries, mostWrites, mostUnseen] = [100, 24, 3];
/** Milliseconds. */
const [shortestWatch, longestWatch] = [200, 5_000];

/**
 * Adds an entry to what a tag holds. A registry takes any manifest for a tag, whatever stood there, so two writers can
 * undo each other: hence the tag is looked at again right before the write; and after it for a while, longer than another
 * writer needs from its last look to its write, and if the entry is gone it is added again.
 */
export async function addToTag(
  client: RepositoryClient,
  tag: string,
  entry: TagEntry,
  { turns, signal }: TagOptions,
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
  /** The digest that stood under the tag before. */
  readonly seen: string | undefined;
}

async function addOnce(client: RepositoryClient, tag: string, entry: TagEntry): Promise<Added> {
  const read = performance.now();
  const before = await client.readManifest(tag);
  const seen = before?.descriptor.digest;
  if (await entry.isIn(before)) return { took: 'there', seen };
  const { bytes, mediaType } = await entry.addTo(before);
  const looked = performance.now();
  const now = await client.lookAtTag(tag);
  if (now !== undefined && now.digest !== seen) return { took: 'raced', seen };
  await client.pushManifest(tag, bytes, mediaType);
  return { took: performance.now() - (now === undefined ? read : looked), seen };
}

/** Writers of one tag that know each other take turns; those of other processes can't. */
export class TagTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work when all that came before under this name is done. */
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
