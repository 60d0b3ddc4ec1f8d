/** Digests of one thing by algorithm, in hex. */
export type DigestSet = ReadonlyMap<string, string>;

/** A thing that is known by its name and its digests. */
export interface Digested {
  /** A subject's name, or a material's URI. */
  readonly name: string;
  readonly digest: DigestSet;
}

/** One of a list of merged things. */
export interface Merged extends Digested {
  /** The thing that opened this entry, whose digests others were merged into. */
  readonly first: Digested;
}

/**
 * Puts things together that have the same name and agree in at least one digest: the earlier one takes the digests of
 * the later one (payloads.md, 3.2).
 */
export function merged(things: readonly Digested[]): readonly Merged[] {
  const entries: (Merged & { readonly digest: Map<string, string> })[] = [];
  // Entries by name and digest, so that a run with thousands of them takes no time.
  const index = new Map<string, Set<number>>();
  for (const thing of things) {
    const position = earliest(thing, index) ?? entries.length;
    const entry = entries[position] ?? { first: thing, name: thing.name, digest: new Map<string, string>() };
    entries[position] = entry;
    for (const [algorithm, hex] of thing.digest) {
      const before = entry.digest.get(algorithm);
      if (before !== undefined) index.get(identity(thing.name, algorithm, before))?.delete(position);
      entry.digest.set(algorithm, hex);
      const key = identity(thing.name, algorithm, hex);
      const positions = index.get(key) ?? new Set();
      index.set(key, positions.add(position));
    }
  }
  return entries;
}

function earliest(
  { name, digest }: Digested,
  index: ReadonlyMap<string, ReadonlySet<number>>,
): number | undefined {
  const found = [...digest].flatMap(([algorithm, hex]) => [
    ...(index.get(identity(name, algorithm, hex)) ?? []),
  ]);
  return found.length === 0 ? undefined : Math.min(...found);
}

function identity(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/** `ALG:HEX`, split at the colon: nothing is trimmed or lower-cased (payloads.md, 2.2). */
export function rawDigest(digest: string): DigestSet {
  const [algorithm = '', hex = ''] = digest.split(':');
  return new Map([[algorithm, hex]]);
}
