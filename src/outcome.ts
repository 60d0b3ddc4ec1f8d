import type { Config, StoreName } from './config/keys.ts';
import type { Draft, Drafts } from './drafts.ts';
import { type Artifact, repositoriesOf, storageKeyOf } from './model/artifact.ts';
import type { EntryProgress, Failure, Outcome, TryProgress } from './model/outcome.ts';
import type { Run } from './model/run.ts';
import { type AnnotationsOfArtifact, fitAnnotations } from './store/annotation-room.ts';
import { logAddresses, logMark, type PlacesInStore, placesByStore } from './store/places.ts';

/** The annotations in which a store keeps its entry, if any, or why storing failed. */
export type StoreResult = Failure | (AnnotationsOfArtifact & { readonly store: StoreName });

/** What has been done for one draft. */
export interface Finished {
  readonly draft: Draft;
  readonly results: readonly StoreResult[];
  readonly places: readonly PlacesInStore[];
  readonly progress: EntryProgress;
  /** Back ends that have done something for it. */
  readonly answered: readonly string[];
}

/** The outcome of a run from what was done for its drafts. */
export function outcomeOf(
  run: Run,
  config: Config,
  { drafts, problems }: Drafts,
  finished: readonly Finished[],
): Outcome {
  const results = finished.flatMap((one) => one.results);
  const kept = results.filter((result) => 'annotations' in result);
  const { annotations, tooLarge, leftOut } = fitAnnotations(run.annotations, kept);
  const failures = [...results.filter((result) => 'stage' in result), ...tooLarge];
  const failed = new Set(failures.map(({ artifact }) => artifact));
  const succeeded = finished.filter(({ draft }) => !failed.has(draft.artifact));
  const signed = succeeded.map(({ draft }) => storageKeyOf(draft.artifact));
  const logged = succeeded.flatMap(({ draft: { artifact }, progress: { made } }) =>
    made === undefined ? [] : [{ ...made, artifact }],
  );
  const addresses = logAddresses(config, logged);
  return {
    annotations: { ...annotations, ...logMark(config, logged) },
    signed: [...new Set(signed)],
    places: new Map([
      ...placesByStore(finished.flatMap(({ places }) => places)),
      ...(addresses.length === 0 ? [] : [['transparency', addresses] as const]),
    ]),
    off: drafts.flatMap(({ plan }) => plan.off ?? []),
    failures,
    problems: [...problems, ...leftOut],
    backends: {
      unavailable: [...new Set(failures.filter(isUnavailable).flatMap(({ backend }) => backend ?? []))],
      answered: [...new Set(finished.flatMap(({ answered }) => answered))],
    },
    progress: {
      config,
      uid: run.uid,
      entries: new Map(finished.map(({ draft, progress }) => [idOf(draft), progress])),
    },
  };
}

function isUnavailable({ error }: Failure): boolean {
  return error.code.endsWith('_UNAVAILABLE');
}

/** The name of a store as a back end: the store `oci` is another one for each registry. */
export function storeBackend(name: StoreName, artifact: Artifact, config: Config): string {
  if (name !== 'oci' || config['storage.oci.repository'] !== undefined) return `store ${name}`;
  const hosts = repositoriesOf(artifact).map((repository) => repository.slice(0, repository.indexOf('/')));
  return `store oci at ${[...new Set(hosts)].toSorted().join(', ')}`;
}

/** What an earlier try did for a draft; undefined if it had another configuration, or was for another run of this name. */
export function progressOf(
  draft: Draft,
  config: Config,
  earlier: TryProgress | undefined,
): EntryProgress | undefined {
  const isSame = earlier?.config === config && earlier.uid === draft.artifact.run.uid;
  return isSame ? earlier.entries.get(idOf(draft)) : undefined;
}

function idOf({ artifact, plan }: Draft): string {
  return plan.bundled === true ? `${artifact.fullKey} bundled` : artifact.fullKey;
}
