import { parseConfig } from '../../config/parse.ts';
import { type Config, isStoreName, type StoreName, storeNames } from '../../config/keys.ts';
import { ownerOf } from '../../model/children.ts';
import { ChainsError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { parseRun, runName } from '../../model/run.ts';
import { openReader, storesOf } from '../../verify/stores.ts';
import type { GoneRun, VerifiedSubject } from '../../verify/wanted.ts';
import { type ClusterOptions, findRun, type FoundRun, noSuchRun, parseRunName } from './live.ts';
import { type GivenRun, readConfig } from './runs.ts';

/** Where what is verified is looked for. */
export interface SubjectOptions extends ClusterOptions {
  readonly config?: string;
  readonly insecure?: boolean;
  /** Names of stores, or `all` that the configuration names; by default those that it names for the run's kind. */
  readonly store?: string;
  /** Of a run that is gone. */
  readonly uid?: string;
}

/** Something to verify, and the stores that it is looked for in. */
export interface ToVerify {
  readonly subject: VerifiedSubject;
  readonly config: Config;
  readonly stores: readonly StoreName[];
  /** Whether each of these stores must have it. */
  readonly strict: boolean;
  /** What the caller should know. */
  readonly hints: readonly string[];
}

/** A run from a file; without a configuration only its annotations are looked at. @throws ChainsError USAGE, CONFIG_INVALID */
export async function givenSubject(given: GivenRun, options: SubjectOptions): Promise<ToVerify> {
  const config = configWith(await readConfig(options.config), options);
  const run = parseRun(given.run);
  // Files that were written or shortened by hand may name no owner.
  const taskRuns = given.taskRuns.filter((taskRun) => ownerOf(taskRun, run) !== 'another');
  return chosen({ run, taskRuns }, config, options, []);
}

/** A run by its name: in the cluster, or, where it is gone, by its uid. @throws ChainsError USAGE, CONFIG_INVALID, STORE_… */
export async function namedSubject(text: string, options: SubjectOptions): Promise<ToVerify> {
  const found = await find(text, options);
  const { config, hints } = await configurationFor(found, options);
  const subject = await subjectOf(found, config, options);
  return chosen(subject, config, options, hints);
}

/** Without any cluster a run that is gone is verified all the same, where everything else is given. */
async function find(text: string, options: SubjectOptions): Promise<FoundRun> {
  const { uid, config, namespace } = options;
  try {
    return await findRun(text, options);
  } catch (error) {
    const isReachable = !(error instanceof ChainsError) || error.code !== 'CONNECTION_INVALID';
    if (isReachable || uid === undefined || config === undefined || namespace === undefined) throw error;
    return { ...parseRunName(text), namespace, given: undefined, config: error };
  }
}

async function subjectOf(found: FoundRun, config: Config, options: SubjectOptions): Promise<VerifiedSubject> {
  const { kind, namespace, name, given } = found;
  const { uid, store } = options;
  if (given !== undefined) {
    const run = parseRun(given.run);
    if (uid === undefined || uid === run.uid) return { run, taskRuns: given.taskRuns };
  }
  const gone = { kind, namespace, name };
  if (uid !== undefined) return { gone: { ...gone, uid } };
  if (store === 'gcs') throw await whichUid(gone, config);
  if (store === undefined) throw noSuchRun(found);
  throw new ChainsError(
    'USAGE',
    `the cluster has no ${kind.toLowerCase()} ${name} in the namespace ${namespace}: give its --uid, and it is looked for by that`,
  );
}

/**
 * USAGE that names the uids under this name in the store `gcs`. None of them is taken, since no payload is signed with the
 * run's name in it: entries of another run could have been moved there.
 */
async function whichUid(gone: Omit<GoneRun, 'uid'>, config: Config): Promise<ChainsError> {
  const reader = await openReader('gcs', config);
  try {
    const uids = (await reader.uids?.(gone)) ?? [];
    const what = `${gone.kind.toLowerCase()} ${runName(gone)}`;
    const message =
      uids.length === 0
        ? `neither the cluster nor the bucket has a ${what}; another namespace is given with -n`
        : `the cluster has no ${what}, the bucket has entries of the uids ${uids.join(', ').slice(0, 400)}: give the --uid that you mean, since the name is not signed`;
    return new ChainsError('USAGE', message);
  } finally {
    await reader.close();
  }
}

/** What `--config` names counts, then the cluster's ConfigMap; one that can't be read leaves the annotations to look at. */
async function configurationFor(
  found: FoundRun,
  options: SubjectOptions,
): Promise<{ readonly config: Config; readonly hints: readonly string[] }> {
  if (options.config !== undefined) {
    const isOffline = found.config instanceof ChainsError && found.config.code === 'CONNECTION_INVALID';
    const hints = isOffline ? ['there is no cluster to ask: the run is taken for one that is gone'] : [];
    return { config: configWith(await readConfig(options.config), options), hints };
  }
  try {
    if (found.config instanceof ChainsError) throw found.config;
    return { config: configWith(found.config, options), hints: [] };
  } catch (error) {
    if (options.store === 'tekton') return { config: configWith({}, options), hints: [] };
    if (!(error instanceof ChainsError) || options.store !== undefined) throw error;
    const why = `the ConfigMap chains-config in ${options.systemNamespace} can't be used (${error.message})`;
    const hint = `${why}: only the run's annotations are verified; --config or --store says what else`;
    return { config: configWith({}, options), hints: [hint] };
  }
}

function configWith(data: JsonObject, { insecure }: SubjectOptions): Config {
  return parseConfig({ ...data, ...(insecure === true ? { 'storage.oci.repository.insecure': 'true' } : {}) })
    .config;
}

function chosen(
  subject: VerifiedSubject,
  config: Config,
  { store }: SubjectOptions,
  hints: readonly string[],
): ToVerify {
  const { kind } = 'run' in subject ? subject.run : subject.gone;
  const named = storesOf(config, kind);
  const all = { subject, config, hints, strict: false };
  if (store === undefined) return { ...all, stores: named };
  if (store === 'all')
    return { ...all, stores: [...new Set([...named, ...config['artifacts.oci.storage']])] };
  return { ...all, strict: true, stores: parseStores(store) };
}

function parseStores(text: string): readonly StoreName[] {
  const stores = text.split(',').map((name) => {
    if (!isStoreName(name)) {
      throw new ChainsError(
        'USAGE',
        `--store ${JSON.stringify(name.slice(0, 60))} is not known: use all, ${storeNames.join(', ')}`,
      );
    }
    if (name !== 'pubsub') return name;
    throw new ChainsError(
      'USAGE',
      "the store pubsub can't be read back: what was published is with its consumers; give another --store",
    );
  });
  return [...new Set(stores)];
}
