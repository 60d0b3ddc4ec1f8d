import { isDeepStrictEqual } from 'node:util';
import type { Config, StoreName } from '../config/keys.ts';
import { planFor } from '../config/plan.ts';
import type { Json } from '../json.ts';
import { artifactKindOf } from '../model/artifact.ts';
import type { Run } from '../model/run.ts';
import type { Sought, StoredPlace, StoreReader } from '../model/stored.ts';
import { type ReadableStore, readers } from '../store/index.ts';
import {
  type Checked,
  checkStored,
  failed,
  isGood,
  meeting,
  type Verification,
  verificationOf,
  type VerificationOptions,
} from './checks.ts';
import { namesImageOf } from './content.ts';
import type { ExistingRun } from './remake.ts';
import { checkAnnotations, type CheckedRun, unsignedCheck } from './run.ts';
import { type VerifiedSubject, type Wanted, wantedOf } from './wanted.ts';

/** Which stores are read back, and how to reach them. */
export interface StoresOptions extends VerificationOptions {
  readonly config: Config;
  readonly stores: readonly StoreName[];
  /** True if each of them must have the run; otherwise one that can't is left out if another one has it. */
  readonly strict: boolean;
}

/** What was checked in one store, or why nothing of this run can be found there. */
type StoreChecks = CheckedRun | { readonly store: StoreName; readonly cannot: string };

/**
 * Verifies what several stores have of a run, each with its own checks, which must all hold. The store `tekton` is the run's
 * annotations. An image must be in the stores that the configuration names for images; elsewhere it is checked if it is there.
 * @returns also why stores were left out
 * @throws ChainsError CONFIG_INVALID for a setting that is missing, STORE_… if a store doesn't answer
 */
export async function verifyStores(
  subject: VerifiedSubject,
  options: StoresOptions,
): Promise<{ readonly verification: Verification; readonly leftOut: readonly string[] }> {
  const { stores, expected, strict } = options;
  if (stores.every((store) => store === 'tekton') && 'run' in subject) {
    const { own, images } = await checkRunAnnotations(subject, options);
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
    // A statement that two stores have is reported once.
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
  const { own, images } = await checkRunAnnotations(subject, options);
  const isNeeded = mustHave('tekton', subject.run.kind, options);
  const named = (part: Checked): Checked => ({
    ...part,
    checks: part.checks
      .filter(({ name }) => isNeeded || name !== unsignedCheck)
      .map((check) => ({ ...check, name: `tekton ${check.name}` })),
  });
  return { own: own.map(named), images: images.map(named) };
}

function checkRunAnnotations({ run, taskRuns }: ExistingRun, options: StoresOptions): Promise<CheckedRun> {
  const imagesNeeded = imagesMustBeIn('tekton', run, options.config);
  return checkAnnotations(run, { ...options, taskRuns, imagesNeeded });
}

async function checkRead(
  store: ReadableStore,
  reader: StoreReader,
  subject: VerifiedSubject,
  options: StoresOptions,
): Promise<StoreChecks> {
  const { own, images } = wantedOf(subject);
  const found = await reader.read(own.sought);
  const isNeeded = mustHave(store, own.sought.run.kind, options);
  if (isNeeded && found.length === 0) {
    const cannot =
      'gone' in subject
        ? 'the run is gone, and this store finds entries by what a run built; gcs and docdb find them by its uid'
        : 'the run names nothing that it built, and this store files the entries of a run under that';
    return { store, cannot };
  }
  const checked = await checkFound(store, own, isNeeded ? found : nonEmpty(found), options);
  if ('gone' in subject) return { own: checked, images: [] };
  return { own: checked, images: await checkImages(store, reader, subject.run, images, options) };
}

/** Some stores have one place for all images with the same key, and each place is checked once. */
async function checkImages(
  store: ReadableStore,
  reader: StoreReader,
  run: Run,
  images: readonly Sought[],
  options: StoresOptions,
): Promise<readonly Checked[]> {
  const read = await Promise.all(
    images.map(async (sought) => (await reader.read(sought)).map((found) => ({ sought, found }))),
  );
  const places = Map.groupBy(read.flat(), ({ found }) => found.place);
  const must = imagesMustBeIn(store, run, options.config);
  const checked = [...places.values()].map(async (group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { sought, found } = first;
    const [name = sought.key, ...more] = group.flatMap((one) => one.sought.images);
    const wanted: Wanted = {
      sought,
      content: async (payload) => [
        ['image', namesImageOf(run, more.length > 0 ? sought.key : name, payload)],
      ],
    };
    // What is expected of provenance must hold for the run's own entry only.
    return checkFound(store, wanted, must ? [found] : nonEmpty([found]), { ...options, expected: {} });
  });
  return (await Promise.all(checked)).flat();
}

/**
 * Checks what a store returned of one artifact. In each place one good entry is enough, since others may add theirs, and then
 * only good ones are reported.
 */
async function checkFound(
  store: ReadableStore,
  { sought: { key }, content, logAddress }: Wanted,
  found: readonly StoredPlace[],
  options: VerificationOptions,
): Promise<readonly Checked[]> {
  const name = `${store} ${key}`;
  const places = found.map(async ({ place, entries, flaw }): Promise<readonly Checked[]> => {
    if (entries.length === 0) {
      const reason = flaw === undefined ? `nothing is stored at ${place}` : `${place}: ${flaw}`;
      return [failed(`${name} stored`, reason)];
    }
    const checked = await Promise.all(
      entries.map((entry) => checkStored({ ...entry, name, logAddress }, options, content)),
    );
    const preferred = [meeting(checked, options.expected), checked.filter(isGood), checked];
    return preferred.find((some) => some.length > 0) ?? [];
  });
  return (await Promise.all(places)).flat();
}

/** Whether a store must have the run's own entry: it is demanded, or the store is configured for runs of this kind. */
function mustHave(store: StoreName, kind: Run['kind'], { config, strict }: StoresOptions): boolean {
  return strict || storesOf(config, kind).includes(store);
}

/** Whether a store must have the images of a run: it is configured for images, and signing them is not turned off. */
function imagesMustBeIn(store: StoreName, { kind }: Run, config: Config): boolean {
  const { off, stores } = planFor(config, 'oci');
  return kind === 'TaskRun' && off === undefined && stores.includes(store);
}

/**
 * The stores that must have runs of this kind, as the configuration says. If it names none, the annotations are verified: a run
 * without an entry of its own is never verified.
 */
export function storesOf(config: Config, kind: Run['kind']): readonly StoreName[] {
  const named = config[`artifacts.${artifactKindOf(kind)}.storage`];
  return named.length === 0 ? ['tekton'] : named;
}

/** The places that hold something. */
function nonEmpty(found: readonly StoredPlace[]): readonly StoredPlace[] {
  return found.filter(({ entries, flaw }) => entries.length > 0 || flaw !== undefined);
}

/** Opens a store for reading. @throws ChainsError CONFIG_INVALID */
export async function openReader(store: ReadableStore, config: Config): Promise<StoreReader> {
  return (await readers[store]())(config);
}
