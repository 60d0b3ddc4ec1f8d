import type { StoreName } from '../config/keys.ts';
import { caught, ChainsError } from '../errors.ts';
import type { SignedArtifact } from '../model/signature.ts';
import type { Store } from './store.ts';

/** A store, and where in it one entry is. */
export type PlacesInStore = readonly [store: StoreName, places: readonly string[]];

/** Where an entry is in each of these stores, once it is stored. Never throws: a store that can't say has no places. */
export function placesOf(
  entry: SignedArtifact,
  names: readonly StoreName[],
  open: (name: StoreName) => Promise<Store>,
): Promise<readonly PlacesInStore[]> {
  return Promise.all(
    names.map(async (name): Promise<PlacesInStore> => {
      const places = await caught(async () => (await open(name)).places(entry));
      return [name, places instanceof ChainsError ? [] : places];
    }),
  );
}

/** The places of several entries, each once, by store; stores that hold nothing are left out. */
export function placesByStore(all: readonly PlacesInStore[]): ReadonlyMap<StoreName, readonly string[]> {
  const byStore = Map.groupBy(all, ([store]) => store);
  const merged = [...byStore].map(
    ([store, entries]) => [store, [...new Set(entries.flatMap(([, places]) => places))]] as const,
  );
  return new Map(merged.filter(([, places]) => places.length > 0));
}
