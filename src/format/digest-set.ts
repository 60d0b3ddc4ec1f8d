/** Digests of one thing by algorithm, in hex. */
export type DigestSet = ReadonlyMap<string, string>;

/** Something that has a name and digests. */
export interface Digested {
  /** A subject's name, or a material's URI. */
  readonly name: string;
  readonly digest: DigestSet;
}

/** One entry of a merged list. */
export interface Merged extends Digested {
  /** What this entry was first made for, before other digests were merged into it. */
  readonly first: Digested;
}

/**
 * Merges entries that have the same name and at least one digest in common: the earlier one takes the digests of the
 * later one (payloads.md, 3.2).
 */
export function merged(things: readonly Digested[]): readonly Merged[] {
  const entries: (Merged & { readonly digest: Map<string, string> })[] = [];
  // The positions of entries by name and digest keep this fast for runs with thousands of them.
  const positions = new Map<string, Set<number>>();
  const positionsOf = (...key: readonly [name: string, algorithm: string, hex: string]) => {
    const text = JSON.stringify(key);
    const found = positions.get(text) ?? new Set();
    positions.set(text, found);
    return found;
  };
  for (const thing of things) {
    const { name } = thing;
    const same = [...thing.digest].flatMap(([algorithm, hex]) => [...positionsOf(name, algorithm, hex)]);
    const position = Math.min(entries.length, ...same);
    const entry = (entries[position] ??= { first: thing, name, digest: new Map() });
    for (const [algorithm, hex] of thing.digest) {
      const before = entry.digest.get(algorithm);
      if (before !== undefined) positionsOf(name, algorithm, before).delete(position);
      entry.digest.set(algorithm, hex);
      positionsOf(name, algorithm, hex).add(position);
    }
  }
  return entries;
}

/** `ALG:HEX`, split at the colon; nothing is trimmed or lower-cased (payloads.md, 2.2). */
export function rawDigest(digest: string): DigestSet {
  const [algorithm = '', hex = ''] = digest.split(':');
  return new Map([[algorithm, hex]]);
}
