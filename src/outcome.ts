import type { Config, StoreName } from './config/keys.ts';
import type { Draft, Drafts } from './drafts.ts';
import { storageKeyOf } from './model/artifact.ts';
import type { EntryProgress, Failure, Outcome, TryProgress } from './model/outcome.ts';
import type { Run } from './model/run.ts';
import { type AnnotationsOfArtifact, fitAnnotations } from './store/annotation-room.ts';
import { logAddresses, logMark, type PlacesInStore, placesByStore } from './store/places.ts';

/** What a store kept on the run, or why it has nothing. */
export type StoreResult = Failure | (AnnotationsOfArtifact & { readonly store: StoreName });

/** How far one draft came. */
export interface Finished {
  readonly draft: Draft;
  readonly results: readonly StoreResult[];
  readonly places: readonly PlacesInStore[];
  readonly progress: EntryProgress;
}

/** Sums up what happened to the artifacts of a run. */
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
  const signed = finished.flatMap(({ draft: { artifact } }) =>
    failed.has(artifact) ? [] : [storageKeyOf(artifact)],
  );
  const logged = finished.flatMap(({ draft: { artifact }, progress: { made } }) =>
    failed.has(artifact) || made === undefined ? [] : [{ ...made, artifact }],
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
    progress: {
      config,
      uid: run.uid,
      entries: new Map(finished.map(({ draft, progress }) => [idOf(draft), progress])),
    },
  };
}

/** How far an earlier try came with a draft; another configuration or another run of that name starts from nothing. */
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
