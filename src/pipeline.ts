import { mapAtMost, unlessAborted } from './concurrency.ts';
import { type BackendOptions, type BackendState, openBackends } from './backends.ts';
import { caught, ChainsError } from './errors.ts';
import type { Config, StoreName } from './config/keys.ts';
import { planFor, plansFor } from './config/plan.ts';
import { type Draft, type Drafts, draftsOf } from './drafts.ts';
import type { JsonObject } from './json.ts';
import type { Artifact, ArtifactKind } from './model/artifact.ts';
import type { EntryProgress, Failure, Outcome, TryProgress } from './model/outcome.ts';
import type { Run } from './model/run.ts';
import type { SignedArtifact } from './model/signature.ts';
import { inSpan, type Span } from './model/span.ts';
import { type Finished, outcomeOf, progressOf, storeBackend, type StoreResult } from './outcome.ts';
import { signPayload } from './sign/index.ts';
import { failures } from './store/failures.ts';
import { placesOf } from './store/places.ts';

/** What the pipeline reports while it works, for metrics and logs. */
export type Milestone = 'signed' | 'uploaded' | 'stored';

/** What a pipeline is opened with. */
export interface PipelineOptions extends BackendOptions {
  readonly listener?: (step: Milestone, artifact: Artifact) => void;
}

/** How a run is processed. */
export interface ProcessOptions {
  /** The TaskRuns of a PipelineRun, in order. */
  readonly taskRuns?: readonly JsonObject[];
  readonly signal?: AbortSignal;
  /** What an earlier try has done. */
  readonly earlier?: TryProgress | undefined;
  /** The span that those of the stages go below. */
  readonly span?: Span | undefined;
}

/** What surrounds a stage. */
type Around = Pick<ProcessOptions, 'span'> & { readonly signal?: AbortSignal | undefined };

/** Makes, signs and stores the payloads of runs, for one configuration and one set of secrets. */
export interface Pipeline {
  readonly config: Config;
  /** extract → format: what would be signed, each artifact in one way. Signs and writes nothing. */
  draft(run: Run, taskRuns?: readonly JsonObject[]): Promise<Drafts>;
  /** sign → witness: the draft with its signature, or the stage that failed. */
  signDraft(draft: Draft, signal?: AbortSignal): Promise<SignedArtifact | Failure>;
  /** extract → format → sign → witness → store. Never throws: failures are in the outcome. */
  process(run: Run, options?: ProcessOptions): Promise<Outcome>;
  /** Opens every back end that artifacts of these kinds use. */
  check(kinds: readonly ArtifactKind[]): Promise<readonly BackendState[]>;
  close(): Promise<void>;
}

/** Artifacts of one run that are signed and stored at once. */
const artifactsAtOnce = 8;

/** Opens a pipeline. Its back ends are opened when they are first used. */
export function openPipeline({ listener = () => {}, ...options }: PipelineOptions): Pipeline {
  const { config } = options;
  const { format, signer, store, isWitnessed, witness, check, close } = openBackends(options);

  const draft: Pipeline['draft'] = (run, taskRuns) =>
    draftsOf(run, taskRuns, { config, format, plansOf: (...of) => [planFor(...of)] });

  async function process(run: Run, { taskRuns, earlier, ...around }: ProcessOptions = {}): Promise<Outcome> {
    const drafts = await inSpan(
      around.span,
      'format',
      {},
      () => draftsOf(run, taskRuns, { config, format, plansOf: plansFor }),
      ({ drafts }) => drafts.map(({ payload }) => payload).find((payload) => payload instanceof ChainsError),
    );
    const wanted = drafts.drafts.filter(({ plan }) => plan.off === undefined);
    const finished = await mapAtMost(artifactsAtOnce, wanted, (one) =>
      finish(one, progressOf(one, config, earlier), around),
    );
    return outcomeOf(run, config, drafts, finished);
  }

  /** sign → witness → store, continuing where an earlier try ended. */
  async function finish(one: Draft, earlier: EntryProgress | undefined, around: Around): Promise<Finished> {
    const before: ReadonlySet<string> = earlier?.stored ?? new Set();
    const { artifact, plan } = one;
    const made = earlier?.made;
    const reused = made === undefined || isOutdated(made) ? undefined : { artifact, ...made };
    const { signed, entry } = await confirmed(one, reused ?? (await signOnly(one, around)), around);
    const answered = [
      ...(signed === reused || 'stage' in signed ? [] : [signerBackend(plan)]),
      ...('stage' in entry || entry === signed ? [] : [witnessBackend]),
    ];
    if ('stage' in entry) {
      const progress = { made: 'stage' in signed ? undefined : signed, stored: before };
      return { draft: one, results: [entry], places: [], progress, answered };
    }
    const missing = plan.stores.filter((name) => !before.has(name));
    // Every store is tried, even if another fails.
    const results = await Promise.all(missing.map((name) => storeIn(name, entry, around)));
    const kept = results.flatMap((result) => ('store' in result ? [result] : []));
    const keptElsewhere = kept.filter(({ annotations }) => Object.keys(annotations).length === 0);
    // A store that failed may not open, so it is not asked for its places.
    const holding = plan.stores.filter((name) => before.has(name) || kept.some((one) => one.store === name));
    return {
      draft: one,
      results,
      places: await placesOf(entry, holding, store),
      progress: { made: entry, stored: new Set([...before, ...keptElsewhere.map((one) => one.store)]) },
      answered: [...answered, ...kept.map((one) => storeBackend(one.store, artifact, config))],
    };
  }

  async function signDraft(one: Draft, signal?: AbortSignal): Promise<SignedArtifact | Failure> {
    return (await confirmed(one, await signOnly(one, { signal }), { signal })).entry;
  }

  /**
   * Confirms a signature. If the log has it already and its entry can't be read, another signature is made where the key
   * allows it. Returns the last signature, and the entry or why it is not confirmed.
   */
  async function confirmed(
    one: Draft,
    signed: SignedArtifact | Failure,
    around: Around,
  ): Promise<Readonly<Record<'signed' | 'entry', SignedArtifact | Failure>>> {
    const entry = await confirm(signed, around);
    if (!('stage' in entry) || entry.error.code !== 'LOG_ENTRY_UNREADABLE') return { signed, entry };
    const another = await signOnly(one, around, false);
    return { signed: another, entry: await confirm(another, around) };
  }

  async function signOnly(
    { artifact, plan, payload }: Draft,
    { signal, span }: Around,
    repeatable = isWitnessed,
  ): Promise<SignedArtifact | Failure> {
    if (payload instanceof ChainsError) return { artifact, stage: 'payload_creation', error: payload };
    const options = { notBefore: artifact.run.completedAt, repeatable, signal };
    const backend = signerBackend(plan);
    const attributes = { artifact: artifact.kind, format: plan.format, backend };
    const signature = await inSpan(span, 'sign', attributes, () =>
      caughtUnlessAborted(signal, async () => signPayload(await signer(plan.signer), payload, options)),
    );
    if (signature instanceof ChainsError) return { artifact, stage: 'signing', error: signature, backend };
    listener('signed', artifact);
    return { artifact, payload, signature };
  }

  async function confirm(
    signed: SignedArtifact | Failure,
    { signal, span }: Around,
  ): Promise<SignedArtifact | Failure> {
    if (!isWitnessed || 'stage' in signed || signed.transparency !== undefined) return signed;
    const { artifact } = signed;
    const attributes = { artifact: artifact.kind, backend: witnessBackend };
    const transparency = await inSpan(span, 'witness', attributes, () =>
      caughtUnlessAborted(signal, async () => (await witness()).witness(signed, signal)),
    );
    if (transparency instanceof ChainsError)
      return { artifact, stage: 'tlog', error: transparency, backend: witnessBackend };
    const { logEntries, timestamps } = transparency;
    if (logEntries.length > 0) listener('uploaded', artifact);
    return logEntries.length + timestamps.length === 0 ? signed : { ...signed, transparency };
  }

  async function storeIn(
    name: StoreName,
    entry: SignedArtifact,
    { signal, span }: Around,
  ): Promise<StoreResult> {
    const { artifact } = entry;
    const backend = storeBackend(name, artifact, config);
    const what = `storing ${artifact.key} in ${name} (limits.store-timeout)`;
    const annotations = await inSpan(span, 'store', { artifact: artifact.kind, backend }, () =>
      caught(() =>
        failures.within(config['limits.store-timeout'], what, signal, async (either) =>
          (await store(name)).store(entry, either),
        ),
      ),
    );
    if (annotations instanceof ChainsError)
      return { artifact, stage: 'storage', error: annotations, backend };
    listener('stored', artifact);
    return { artifact, store: name, annotations };
  }

  return { config, draft, signDraft, process, check, close };
}

/** The name of the log and the timestamp server together as a back end. */
const witnessBackend = 'witness';

function signerBackend({ signer }: Draft['plan']): string {
  return `signer ${signer}`;
}

/** Whether the certificate of an unconfirmed signature has expired, so that a new signature is needed. */
function isOutdated({ signature, transparency }: Omit<SignedArtifact, 'artifact'>): boolean {
  const { validUntil } = signature;
  return transparency === undefined && validUntil !== undefined && validUntil.getTime() <= Date.now();
}

/** Ends at the signal even if a back end ignores it; what the back end still returns is dropped. */
function caughtUnlessAborted<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T | ChainsError> {
  return caught(() => {
    signal?.throwIfAborted();
    return unlessAborted(signal, work());
  });
}
