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
  const byName = new Map<string, typeof entries>();
  for (const thing of things) {
    const named = byName.get(thing.name) ?? [];
    byName.set(thing.name, named);
    const same = named.find(({ digest }) => agree(digest, thing.digest));
    if (same === undefined) {
      const entry = { first: thing, name: thing.name, digest: new Map(thing.digest) };
      entries.push(entry);
      named.push(entry);
    } else {
      for (const [algorithm, hex] of thing.digest) same.digest.set(algorithm, hex);
    }
  }
  return entries;
}

function agree(one: DigestSet, other: DigestSet): boolean {
  return [...other].some(([algorithm, hex]) => one.get(algorithm) === hex);
}

/** `ALG:HEX`, split at the colon as it stands: nothing is trimmed or lower-cased (payloads.md, 2.2). */
export function rawDigest(digest: string): DigestSet {
  const [algorithm = '', hex = ''] = digest.split(':');
  return new Map([[algorithm, hex]]);
}
