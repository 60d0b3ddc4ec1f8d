import type { JsonObject } from '../src/json.ts';
import type { Kind } from './kinds.ts';
import { metadataOf, objectOf, parseJson } from './values.ts';

/** An object at rest: what selectors and pages need, and the rest as compact JSON without `apiVersion` and `kind`. */
export interface Stored {
  /** `namespace/name`, or just the name. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly version: number;
  readonly labels: JsonObject;
  readonly text: string;
}

/** One write: the object before it and after it. */
export interface Change {
  readonly kind: Kind;
  readonly version: number;
  readonly before: Stored | undefined;
  readonly after: Stored | undefined;
}

// What a new server has written for itself; resource versions up to here are history that is gone.
const firstVersion = 100;

/** The object that is stored, without `apiVersion` and `kind`. */
export function contentOf(stored: Stored): JsonObject {
  return objectOf(parseJson(stored.text));
}

/** What etcd is to the real server: objects, one version counter for all of them, and the last changes. */
export class Storage {
  version = firstVersion;
  /** Changes up to this version are forgotten. */
  compacted = firstVersion;
  #history: Change[] = [];
  readonly #keep: number;
  readonly #objects = new Map<Kind, Map<string, Stored>>();
  readonly #snapshots = new Map<Kind, { version: number; items: readonly Stored[] }>();
  readonly #listeners = new Set<(change: Change) => void>();

  /** @param keep how many changes are remembered. */
  constructor(keep: number) {
    this.#keep = keep;
  }

  get(kind: Kind, key: string): Stored | undefined {
    return this.#objects.get(kind)?.get(key);
  }

  /** Writes an object, whose `metadata.resourceVersion` becomes the new version. */
  put(kind: Kind, content: JsonObject): Stored {
    const stored = this.#stored(content, this.version + 1);
    this.#commit({ kind, version: stored.version, before: this.get(kind, stored.key), after: stored });
    return stored;
  }

  /** Deletes an object; true if it was there. */
  remove(kind: Kind, key: string): boolean {
    const before = this.get(kind, key);
    if (before === undefined) return false;
    this.#commit({ kind, version: this.version + 1, before, after: undefined });
    return true;
  }

  /** How many objects of a kind there are. */
  count(kind: Kind): number {
    return this.#objects.get(kind)?.size ?? 0;
  }

  /** Everything of a kind, sorted by key, as it was at `version`; undefined if that is forgotten. */
  list(kind: Kind, version: number): readonly Stored[] | undefined {
    const last = this.#snapshots.get(kind);
    if (last?.version === version) return last.items;
    if (version < this.compacted) return undefined;
    const objects = new Map(this.#objects.get(kind));
    for (const change of this.since(version).toReversed()) {
      if (change.kind !== kind) continue;
      const key = change.before?.key ?? change.after?.key ?? '';
      if (change.before === undefined) objects.delete(key);
      else objects.set(key, change.before);
    }
    const items = [...objects.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
    this.#snapshots.set(kind, { version, items });
    return items;
  }

  /** The changes after `version`. */
  since(version: number): readonly Change[] {
    const start = this.#history.findLastIndex((change) => change.version <= version);
    return this.#history.slice(start + 1);
  }

  /** Forgets all changes so far, as etcd's compaction does. */
  compact(): void {
    this.#history = [];
    this.#snapshots.clear();
    this.compacted = this.version;
  }

  /** Calls back with each change from now on, until the returned function is called. */
  follow(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** An object as it is announced when it goes: as it was, with the version of its going. */
  departed(stored: Stored, version: number): Stored {
    return this.#stored(contentOf(stored), version);
  }

  #stored(content: JsonObject, version: number): Stored {
    const metadata = metadataOf(content);
    const namespace = String(metadata['namespace'] ?? '');
    const name = String(metadata['name']);
    return {
      key: namespace === '' ? name : `${namespace}/${name}`,
      namespace,
      name,
      uid: String(metadata['uid']),
      version,
      labels: objectOf(metadata['labels']),
      text: JSON.stringify({ ...content, metadata: { ...metadata, resourceVersion: String(version) } }),
    };
  }

  #commit(change: Change): void {
    this.version = change.version;
    const objects = this.#objects.get(change.kind) ?? new Map<string, Stored>();
    this.#objects.set(change.kind, objects);
    if (change.after === undefined) objects.delete(change.before?.key ?? '');
    else objects.set(change.after.key, change.after);
    this.#history.push(change);
    // Cut in large pieces, so that a write costs the same however long the history is.
    if (this.#history.length > this.#keep * 2) {
      const cut = this.#history.splice(0, this.#keep);
      this.compacted = cut.at(-1)?.version ?? this.compacted;
    }
    for (const listener of this.#listeners) listener(change);
  }
}
