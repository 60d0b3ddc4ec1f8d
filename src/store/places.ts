import type { Config, StoreName } from '../config/keys.ts';
import { caught, ChainsError } from '../errors.ts';
import { textIn } from '../json.ts';
import { transparencyMark } from '../model/marks.ts';
import type { SignedArtifact } from '../model/signature.ts';
import { withoutTrailing } from '../text.ts';
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
  const byStore = new Map<StoreName, Set<string>>();
  for (const [store, places] of all)
    if (places.length > 0) byStore.set(store, new Set([...(byStore.get(store) ?? []), ...places]));
  return new Map([...byStore].map(([store, places]) => [store, [...places]]));
}

/** What of a signed artifact tells its entries in the log. */
type Logged = Pick<SignedArtifact, 'artifact' | 'transparency'>;

/** Where people find the entries of these artifacts in the log that the configuration names (transparency.md, "The log"). */
export function logAddresses(config: Config, signed: readonly Logged[]): readonly string[] {
  const url = withoutTrailing(config['transparency.url'], '/');
  const entries = signed.flatMap(({ transparency }) => transparency?.logEntries ?? []);
  const addresses = entries.map(
    ({ logIndex }) => `${url}/api/${config['transparency.api']}/log/entries?logIndex=${textIn(logIndex)}`,
  );
  return [...new Set(addresses)];
}

/** The annotation that names the log's entry for the run's own signature; none where it isn't logged. */
export function logMark(config: Config, signed: readonly Logged[]): Readonly<Record<string, string>> {
  const ofRun = signed.filter(({ artifact }) => artifact.kind !== 'oci');
  const [address] = logAddresses(config, ofRun);
  return address === undefined ? {} : { [transparencyMark]: address };
}
