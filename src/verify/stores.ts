import { isDeepStrictEqual } from 'node:util';
import type { Config, StoreName } from '../config/keys.ts';
import { planFor } from '../config/plan.ts';
import { artifactKindOf } from '../model/artifact.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Run } from '../model/run.ts';
import type { StoredPlace, Sought, StoreReader } from '../model/stored.ts';
import { type ReadableStore, readers } from '../store/index.ts';
import { type Checked, type Verification, type VerificationOptions, verificationOf } from './checks.ts';
import { type GoneRun, wantedOfGone } from './gone.ts';
import { type AnnotationsOptions, checkAnnotations, type CheckedRun, unsignedCheck } from './run.ts';
import { checkFound, failed, imageContent, type Wanted, wantedOf } from './stored.ts';

/** Which stores are read back, and how to reach them. */
export interface StoresOptions extends VerificationOptions {
  readonly config: Config;
  readonly stores: readonly StoreName[];
  /** True where each of them must have the run; otherwise one that can't is left out, as long as another one has it. */
  readonly strict: boolean;
}

/** A run that is there, with the TaskRuns of a PipelineRun, or one that is gone. */
export type VerifiedSubject =
  | { readonly run: Run; readonly taskRuns: readonly JsonObject[] }
  | { readonly gone: GoneRun };

/** What was verified, and why stores were left out. */
export interface StoresVerification {
  readonly verification: Verification;
  readonly leftOut: readonly string[];
}

/** What was found in one store of the run itself and of its images, or why nothing of this run can be found there. */
type StoreChecks = CheckedRun | { readonly store: StoreName; readonly cannot: string };

/**
 * Verifies what several stores have of a run, each with checks of its own; all must hold. The store `tekton` is the run's
 * annotations; the others are read. An image must be in the stores that the configuration names for images; elsewhere it
 * is checked where it is found.
 * @throws ChainsError CONFIG_INVALID for a setting that is missing, STORE_… where a store doesn't answer
 */
export async function verifyStores(
  subject: VerifiedSubject,
  options: StoresOptions,
): Promise<StoresVerification> {
  const { stores, expected, strict } = options;
  if (stores.every((store) => store === 'tekton') && 'run' in subject) {
    const { own, images } = await checkAnnotations(subject.run, annotationsOptions(subject, options));
    return { verification: verificationOf([...own, ...images], expected), leftOut: [] };
  }
  const results = await Promise.all(stores.map((store) => checkStore(store, subject, options)));
  const leftOut = results.flatMap((result) => ('cannot' in result ? [result] : []));
  const read = results.flatMap((result) => ('cannot' in result ? [] : [result]));
  const parts = read.flatMap(({ own, images }) => [...own, ...images]);
  // The signature of an image says nothing of the run that built it.
  const isProven = read.some(({ own }) => own.some(({ checks }) => checks.length > 0));
  const missing =
    strict || !isProven ? leftOut.map(({ store, cannot }) => failed(`${store} stored`, cannot)) : [];
  const verification = verificationOf([...parts, ...missing], expected);
  return {
    // What two stores have is summed up once.
    verification: { ...verification, statements: distinct(verification.statements) },
    leftOut: missing.length > 0 ? [] : leftOut.map(({ store, cannot }) => `${store} is left out: ${cannot}`),
  };
}

function distinct(statements: readonly Json[]): readonly Json[] {
  return statements.filter(
    (one, index) => statements.findIndex((other) => isDeepStrictEqual(one, other)) === index,
  );
}

async function checkStore(
  store: StoreName,
  subject: VerifiedSubject,
  options: StoresOptions,
): Promise<StoreChecks> {
  if (store === 'pubsub') {
    return { store, cannot: "what was published is with its consumers, and can't be read back" };
  }
  if (store === 'tekton') return checkTekton(subject, options);
  const reader = await openReader(store, options.config);
  try {
    return await checkRead(store, reader, subject, options);
  } finally {
    await reader.close();
  }
}

async function checkTekton(subject: VerifiedSubject, options: StoresOptions): Promise<StoreChecks> {
  if ('gone' in subject) {
    return { store: 'tekton', cannot: 'the run is gone from the cluster, and its annotations with it' };
  }
  const { own, images } = await checkAnnotations(subject.run, annotationsOptions(subject, options));
  const isNeeded = mustHave('tekton', subject.run.kind, options);
  const named = (part: Checked): Checked => ({
    ...part,
    checks: part.checks
      .filter(({ name }) => isNeeded || name !== unsignedCheck)
      .map((check) => ({ ...check, name: `tekton ${check.name}` })),
  });
  return { own: own.map(named), images: images.map(named) };
}

function annotationsOptions(
  { run, taskRuns }: Extract<VerifiedSubject, { run: Run }>,
  options: StoresOptions,
): AnnotationsOptions {
  const imagesNeeded = imagesMustBeIn('tekton', run, options.config);
  const { keys, expected, evidence } = options;
  return { keys, expected, evidence, taskRuns, imagesNeeded };
}

async function checkRead(
  store: ReadableStore,
  reader: StoreReader,
  subject: VerifiedSubject,
  options: StoresOptions,
): Promise<StoreChecks> {
  if ('gone' in subject) return checkOwn(store, reader, wantedOfGone(subject.gone), subject.gone, options);
  const { run, taskRuns } = subject;
  const { own, images } = wantedOf(run, taskRuns);
  const ofRun = await checkOwn(store, reader, own, run, options);
  return 'cannot' in ofRun
    ? ofRun
    : { ...ofRun, images: await checkImages(store, reader, { run, images }, options) };
}

async function checkOwn(
  store: ReadableStore,
  reader: StoreReader,
  own: Wanted,
  run: Run | GoneRun,
  options: StoresOptions,
): Promise<StoreChecks> {
  const found = await reader.read(own.sought);
  const isNeeded = mustHave(store, run.kind, options);
  if (isNeeded && found.length === 0) return { store, cannot: placeless(!('object' in run)) };
  const places = isNeeded ? found : somewhere(found);
  return { own: await checkFound(store, own, places, options), images: [] };
}

/** Some stores have one place for all images with the same key; each place is looked at once. */
async function checkImages(
  store: ReadableStore,
  reader: StoreReader,
  { run, images }: { readonly run: Run; readonly images: readonly Sought[] },
  options: StoresOptions,
): Promise<readonly Checked[]> {
  const read = await Promise.all(
    images.map(async (sought) => (await reader.read(sought)).map((found) => ({ sought, found }))),
  );
  const places = Map.groupBy(read.flat(), ({ found }) => found.place);
  const must = imagesMustBeIn(store, run, options.config);
  const checked = [...places.values()].map(async ([first, ...more]) => {
    if (first === undefined) return [];
    const { sought, found } = first;
    const names = [first, ...more].flatMap((one) => one.sought.images);
    const wanted = { sought, content: imageContent(run, sought, names) };
    // What is expected of provenance is asked of the run's own entry.
    return checkFound(store, wanted, must ? [found] : somewhere([found]), { ...options, expected: {} });
  });
  return (await Promise.all(checked)).flat();
}

/** Whether a store must have the run's own entry: where it is asked for, or stores runs of its kind. */
function mustHave(store: StoreName, kind: Run['kind'], { config, strict }: StoresOptions): boolean {
  return strict || storesOf(config, kind).includes(store);
}

/** Whether a store must have the images of a run: only what is configured to be signed can be missed. */
function imagesMustBeIn(store: StoreName, { kind }: Run, config: Config): boolean {
  const { off, stores } = planFor(config, 'oci');
  return kind === 'TaskRun' && off === undefined && stores.includes(store);
}

/**
 * The stores that must have runs of this kind, as the configuration says. Where it stores none, a run is still verified by
 * an entry of its own or not at all, and its annotations are the place to look for one.
 */
export function storesOf(config: Config, kind: Run['kind']): readonly StoreName[] {
  const named = config[`artifacts.${artifactKindOf(kind)}.storage`];
  return named.length === 0 ? ['tekton'] : named;
}

/** The places where there is something. */
function somewhere(found: readonly StoredPlace[]): readonly StoredPlace[] {
  return found.filter(({ entries, flaw }) => entries.length > 0 || flaw !== undefined);
}

function placeless(isGone: boolean): string {
  return isGone
    ? 'the run is gone, and this store finds entries by what a run built; gcs and docdb find them by its uid'
    : 'the run names nothing that it built, and this store keeps what is said of a run with that';
}

/** Opens a store for reading. @throws ChainsError CONFIG_INVALID */
export async function openReader(store: ReadableStore, config: Config): Promise<StoreReader> {
  return (await readers[store]())(config);
}
