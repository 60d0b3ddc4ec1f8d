import type { Config, SignerName, StoreName } from './config/keys.ts';
import { depthFor, type Plan, planFor, plansFor } from './config/plan.ts';
import { extract } from './extract/index.ts';
import { loadFormat } from './format/index.ts';
import { type Artifact, type ArtifactKind, storageKeyOf } from './model/artifact.ts';
import type { JsonObject } from './json.ts';
import { mapAtMost } from './parallel.ts';
import { collectProblems, type Problem, type Report } from './model/problem.ts';
import { failures } from './store/failures.ts';
import { caught } from './caught.ts';
import { ChainsError } from './errors.ts';
import { once } from './once.ts';
import type { EntryProgress, Failure, Outcome, Progress } from './model/outcome.ts';
import type { Run } from './model/run.ts';
import type { Payload, SignedArtifact } from './model/signature.ts';
import type { StoreAccess } from './model/store-access.ts';
import { unlessAborted } from './abort.ts';
import { type Secrets, type Signer, signers, signPayload } from './sign/index.ts';
import { type AnnotationsOfArtifact, fitAnnotations } from './store/annotation-room.ts';
import { type Store, stores } from './store/index.ts';
import { placesByStore, placesOf } from './store/places.ts';
import { openWitness } from './witness/index.ts';

export { foreseeTooLarge, keepOnRun } from './store/run-annotations.ts';

/** An artifact with its plan and its payload, or why there is none: what would be signed. */
export interface Draft {
  readonly artifact: Artifact;
  readonly plan: Plan;
  readonly payload: Payload | ChainsError;
}

/** What the pipeline tells while it works; metrics and logs listen. */
export type Step = 'signed' | 'stored';

/** Where a pipeline gets what it needs. */
export interface PipelineOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  /** What stores may ask of the cluster; left out where there is none. */
  readonly access?: StoreAccess;
  readonly listener?: (step: Step, artifact: Artifact) => void;
}

/** A back end that the configuration names, and why it can't be opened, if so. */
export interface BackendState {
  /** The ConfigMap's key: `artifacts.taskrun.signer`. */
  readonly key: string;
  readonly backend: string;
  readonly error: ChainsError | undefined;
}

/** What a run is processed with. */
export interface ProcessOptions {
  /** The TaskRuns of a PipelineRun, in order. */
  readonly taskRuns?: readonly JsonObject[];
  readonly signal?: AbortSignal;
  /** How far an earlier try came. */
  readonly earlier?: Progress | undefined;
}

/** Everything between a run and its mark, for one configuration and one set of secrets. Back ends open once, when first used. */
export interface Pipeline {
  readonly config: Config;
  /** extract → format: what would be signed, an artifact in one way each. Signs and writes nothing. `taskRuns` are those of a PipelineRun, in order. */
  draft(
    run: Run,
    taskRuns?: readonly JsonObject[],
  ): Promise<{ readonly drafts: readonly Draft[]; readonly problems: readonly Problem[] }>;
  /** sign → witness: the draft with its signature, or the stage that failed. */
  signDraft(draft: Draft, signal?: AbortSignal): Promise<SignedArtifact | Failure>;
  /** extract → format → sign → witness → store. Never throws: what failed is in the outcome. */
  process(run: Run, options?: ProcessOptions): Promise<Outcome>;
  /** Opens every back end that artifacts of these kinds use. */
  check(kinds: readonly ArtifactKind[]): Promise<readonly BackendState[]>;
  close(): Promise<void>;
}

/** The hosts of the registries that the images of a run which is done are in, each once. Pure. */
export function registryHostsOf(run: Run): readonly string[] {
  if (run.progress.state !== 'done') return [];
  const repositories = extract(run).artifacts.flatMap((artifact) => {
    if (artifact.kind === 'oci') return [artifact.image.repository];
    const { evidence } = artifact;
    return evidence instanceof ChainsError ? [] : evidence.hints.images.map(({ image }) => image.repository);
  });
  return [...new Set(repositories.map((repository) => repository.slice(0, repository.indexOf('/'))))];
}

/** Opens a pipeline; cheap, since back ends open when they are first used. */
export function openPipeline({
  config,
  secrets,
  access = {},
  listener = () => {},
}: PipelineOptions): Pipeline {
  const openFormat = once(loadFormat);
  const openSigner = once(async (name: Exclude<SignerName, 'none'>) =>
    (await signers[name]())(config, secrets),
  );
  const openStore = once(async (name: StoreName) => (await stores[name]())(config, access));

  async function draftBy(
    plansOf: (kind: ArtifactKind) => readonly Plan[],
    run: Run,
    taskRuns?: readonly JsonObject[],
  ): ReturnType<Pipeline['draft']> {
    const { artifacts, problems, unreadable } = extract(run, taskRuns, depthFor(config, run));
    const leftOut = collectProblems();
    const within = withinLimit(artifacts, config['limits.images-per-run'], leftOut.report);
    const drafts = await Promise.all(
      within.flatMap((artifact) =>
        plansOf(artifact.kind).map(async (plan): Promise<Draft> => {
          const options = { config, name: plan.format, bundled: plan.bundled, report: leftOut.report };
          const payload =
            unreadable ?? (await caught(async () => (await openFormat(plan.format))(artifact, options)));
          return { artifact, plan, payload };
        }),
      ),
    );
    return { drafts, problems: [...problems, ...leftOut.all()] };
  }

  const draft: Pipeline['draft'] = (run, taskRuns) =>
    draftBy((kind) => [planFor(config, kind)], run, taskRuns);

  async function signDraft(
    { artifact, plan, payload }: Draft,
    signal?: AbortSignal,
  ): Promise<SignedArtifact | Failure> {
    if (payload instanceof ChainsError) return { artifact, stage: 'payload_creation', error: payload };
    const signature = await caughtUnlessAborted(signal, async () =>
      signPayload(await openSigner(named(plan.signer)), payload, {
        notBefore: artifact.run.completedAt,
        signal,
      }),
    );
    if (signature instanceof ChainsError) return { artifact, stage: 'signing', error: signature };
    const witnessed = await caught(async () => openWitness(config));
    if (witnessed instanceof ChainsError) return { artifact, stage: 'tlog', error: witnessed };
    listener('signed', artifact);
    return { artifact, payload, signature };
  }

  /** Every store is tried, whatever becomes of the others; those that have the entry are not asked again. */
  async function storeEntry(
    entry: SignedArtifact,
    names: readonly StoreName[],
    signal?: AbortSignal,
  ): Promise<readonly StoreResult[]> {
    const { artifact } = entry;
    return Promise.all(
      names.map(async (store): Promise<StoreResult> => {
        const what = `storing ${artifact.key} in ${store} (limits.store-timeout)`;
        const annotations = await caughtUnlessAborted(signal, () =>
          failures.within(config['limits.store-timeout'], what, signal, async (either) =>
            (await openStore(store)).store(entry, either),
          ),
        );
        if (annotations instanceof ChainsError) return { artifact, stage: 'storage', error: annotations };
        listener('stored', artifact);
        return { artifact, store, annotations };
      }),
    );
  }

  /** sign → witness → store, going on where an earlier try ended. */
  async function finishDraft(one: Draft, earlier: EntryProgress | undefined, signal?: AbortSignal) {
    const { artifact, plan } = one;
    const entry = earlier?.made === undefined ? await signDraft(one, signal) : { artifact, ...earlier.made };
    const before = earlier?.stored ?? new Set();
    const unmade = { made: undefined, stored: before };
    if ('stage' in entry) return { results: [entry], places: [], progress: unmade };
    const names = plan.stores.filter((name) => !before.has(name));
    const results = await storeEntry(entry, names, signal);
    const stored = new Set([...before, ...results.flatMap(keptElsewhere)]);
    // One that failed may not even open, and is not asked.
    const holds = (name: StoreName) =>
      before.has(name) || results.some((result) => 'store' in result && result.store === name);
    const places = await placesOf(entry, plan.stores.filter(holds), openStore);
    return {
      results,
      places,
      progress: { made: { payload: entry.payload, signature: entry.signature }, stored },
    };
  }

  async function process(run: Run, { taskRuns, signal, earlier }: ProcessOptions = {}): Promise<Outcome> {
    const { drafts, problems } = await draftBy((kind) => plansFor(config, kind), run, taskRuns);
    const before = earlier?.config === config && earlier.uid === run.uid ? earlier.entries : undefined;
    const finished = await mapAtMost(artifactsAtOnce, wanted(drafts), async (one) => ({
      id: idOf(one),
      ...(await finishDraft(one, before?.get(idOf(one)), signal)),
    }));
    const results = finished.flatMap((one): readonly StoreResult[] => one.results);
    const fitted = fitAnnotations(
      run.annotations,
      results.filter((result) => 'annotations' in result),
    );
    const failures = [...results.filter((result) => 'stage' in result), ...fitted.tooLarge];
    const failed = new Set(failures.map(({ artifact }) => artifact));
    const signed = wanted(drafts).flatMap(({ artifact }) =>
      failed.has(artifact) ? [] : [storageKeyOf(artifact)],
    );
    return {
      annotations: fitted.annotations,
      signed: [...new Set(signed)],
      places: placesByStore(finished.flatMap(({ places }) => places)),
      off: drafts.flatMap(({ plan }) => plan.off ?? []),
      failures,
      problems,
      progress: {
        config,
        uid: run.uid,
        entries: new Map(finished.map(({ id, progress }) => [id, progress])),
      },
    };
  }

  async function check(kinds: readonly ArtifactKind[]): Promise<readonly BackendState[]> {
    const states = kinds.flatMap((kind) => {
      const { off, format: formatName, signer, stores: storeNames } = planFor(config, kind);
      if (off !== undefined) return [];
      return [
        state(`artifacts.${kind}.format`, formatName, () => openFormat(formatName)),
        state(`artifacts.${kind}.signer`, signer, () => openSigner(named(signer))),
        ...storeNames.map((name) => state(`artifacts.${kind}.storage`, name, () => openStore(name))),
      ];
    });
    return Promise.all([
      ...states,
      state('transparency.enabled', config['transparency.enabled'], () => openWitness(config)),
    ]);
  }

  async function close(): Promise<void> {
    const opened: (Promise<Signer> | Promise<Store>)[] = [...openSigner.opened(), ...openStore.opened()];
    await Promise.allSettled(opened.map(async (backend) => (await backend).close?.()));
  }

  return { config, draft, signDraft, process, check, close };
}

/** Artifacts of one run that are signed and stored at once. */
const artifactsAtOnce = 8;

/** All artifacts but the images beyond the limit; how many those are is reported. */
function withinLimit(artifacts: readonly Artifact[], most: number, report: Report): readonly Artifact[] {
  const images = artifacts.filter(({ kind }) => kind === 'oci');
  const beyond = new Set(images.slice(most));
  if (beyond.size > 0) {
    report(
      'status.results',
      `the run names ${images.length} images, of which ${beyond.size} are not signed: limits.images-per-run is ${most}; raise it, or build fewer images in one TaskRun`,
    );
  }
  return artifacts.filter((artifact) => !beyond.has(artifact));
}

type StoreResult = Failure | (AnnotationsOfArtifact & { readonly store: StoreName });

/** What a store has put away; annotations are not written yet. */
function keptElsewhere(result: StoreResult): readonly StoreName[] {
  return 'annotations' in result && Object.keys(result.annotations).length === 0 ? [result.store] : [];
}

/** A back end that does not heed the signal holds nothing up: what it still brings is dropped. */
function caughtUnlessAborted<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T | ChainsError> {
  return caught(() => {
    signal?.throwIfAborted();
    return unlessAborted(signal, work());
  });
}

function idOf({ artifact, plan }: Draft): string {
  return plan.bundled === true ? `${artifact.fullKey} bundled` : artifact.fullKey;
}

function wanted(drafts: readonly Draft[]): readonly Draft[] {
  return drafts.filter(({ plan }) => plan.off === undefined);
}

function named(signer: SignerName): Exclude<SignerName, 'none'> {
  if (signer !== 'none') return signer;
  throw new ChainsError('CONFIG_INVALID', 'the signer none signs nothing');
}

async function state(key: string, backend: string, open: () => unknown): Promise<BackendState> {
  const opened = await caught(async () => open());
  return { key, backend, error: opened instanceof ChainsError ? opened : undefined };
}
