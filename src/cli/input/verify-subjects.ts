import { type Config, isStoreName, type StoreName, storeNames } from '../../config/keys.ts';
import { parseConfig } from '../../config/parse.ts';
import { ownerOf } from '../../model/children.ts';
import { caught, ChainsError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { parseRun, runName } from '../../model/run.ts';
import { openReader, storesOf } from '../../verify/stores.ts';
import type { GoneRun, VerifiedSubject } from '../../verify/wanted.ts';
import { type ClusterOptions, findRun, type FoundRun, noSuchRun, parseRunName } from './cluster.ts';
import type { GivenRun } from './runs.ts';
import { usageError } from '../usage-error.ts';

/** Where to look for what is verified. */
export interface SubjectOptions extends ClusterOptions {
  /** A file with a configuration. */
  readonly config?: string;
  readonly insecure?: boolean;
  /** Names of stores, or `all` that the configuration names; by default those that it names for the run's kind. */
  readonly store?: string;
  /** Of a run that is gone. */
  readonly uid?: string;
}

/** A run to verify, and the stores to read. */
export interface ToVerify {
  readonly subject: VerifiedSubject;
  readonly config: Config;
  readonly stores: readonly StoreName[];
  /** Whether each of these stores must have it. */
  readonly strict: boolean;
  /** What the caller should know. */
  readonly hints: readonly string[];
}

/** A run from a file; without a configuration only its annotations are verified. @throws ChainsError USAGE, CONFIG_INVALID */
export function givenSubject(
  given: GivenRun,
  options: SubjectOptions,
  data: JsonObject | undefined,
): ToVerify {
  const config = configWith(data, options);
  const run = parseRun(given.run);
  // Files that were edited may name no owner.
  const taskRuns = given.taskRuns.filter((taskRun) => ownerOf(taskRun, run) !== 'another');
  return toVerify({ run, taskRuns }, config, options, []);
}

/**
 * A run by its name: in the cluster, or, where it is gone, by its uid.
 * @param data the configuration of `--config`; without one that of the cluster
 * @throws ChainsError USAGE, CONFIG_INVALID, STORE_…
 */
export async function namedSubject(
  text: string,
  options: SubjectOptions,
  data: JsonObject | undefined,
): Promise<ToVerify> {
  const found = await find(text, options);
  const { config, hints } = await configFor(found, options, data);
  return toVerify(await subjectOf(found, config, options), config, options, hints);
}

/** A run that is gone is verified without a cluster too, where uid, configuration and namespace are given. */
async function find(text: string, options: SubjectOptions): Promise<FoundRun> {
  const { uid, config, namespace } = options;
  try {
    return await findRun(text, options);
  } catch (error) {
    const isGiven = uid !== undefined && config !== undefined && namespace !== undefined;
    if (!isGiven || !isWithoutCluster(error)) throw error;
    return { ...parseRunName(text), namespace, run: undefined, taskRuns: [], config: error };
  }
}

function isWithoutCluster(error: unknown): error is ChainsError {
  return error instanceof ChainsError && error.code === 'CONNECTION_INVALID';
}

async function subjectOf(found: FoundRun, config: Config, options: SubjectOptions): Promise<VerifiedSubject> {
  const { kind, namespace, name, taskRuns } = found;
  const { uid, store } = options;
  const run = found.run && parseRun(found.run);
  if (run !== undefined && (uid === undefined || uid === run.uid)) return { run, taskRuns };
  const gone = { kind, namespace, name };
  if (uid !== undefined) return { gone: { ...gone, uid } };
  if (store === 'gcs') throw await unknownUid(gone, config);
  if (store === undefined) throw noSuchRun(found);
  throw usageError(
    `the cluster has no ${kind.toLowerCase()} ${name} in the namespace ${namespace}: give its --uid to look it up in the store`,
  );
}

/**
 * USAGE that lists the uids under this name in the store `gcs`. None of them is chosen, since no signed payload holds the
 * run's name: entries of another run could have been moved there.
 */
async function unknownUid(gone: Omit<GoneRun, 'uid'>, config: Config): Promise<ChainsError> {
  const reader = await openReader('gcs', config);
  try {
    const uids = (await reader.uids?.(gone)) ?? [];
    const what = `${gone.kind.toLowerCase()} ${runName(gone)}`;
    return usageError(
      uids.length === 0
        ? `neither the cluster nor the bucket has a ${what}; -n names another namespace`
        : `the cluster has no ${what}, the bucket has entries of the uids ${uids.join(', ').slice(0, 400)}: give the --uid that you mean, since the name is not signed`,
    );
  } finally {
    await reader.close();
  }
}

/** The file of `--config`, else the cluster's ConfigMap; where that can't be used, only the annotations can be verified. */
async function configFor(
  found: FoundRun,
  options: SubjectOptions,
  given: JsonObject | undefined,
): Promise<Pick<ToVerify, 'config' | 'hints'>> {
  const { store, systemNamespace } = options;
  if (given !== undefined) {
    const hint = 'there is no cluster to ask: the run is treated as deleted';
    return { config: configWith(given, options), hints: isWithoutCluster(found.config) ? [hint] : [] };
  }
  const data = found.config;
  const config = data instanceof ChainsError ? data : await caught(async () => configWith(data, options));
  if (!(config instanceof ChainsError)) return { config, hints: [] };
  if (store !== undefined && store !== 'tekton') throw config;
  const hint = `the ConfigMap chains-config in ${systemNamespace} can't be used (${config.message}): only the run's annotations are verified; --config or --store names other sources`;
  return { config: configWith({}, options), hints: store === undefined ? [hint] : [] };
}

/** The configuration with what the command's options change. @throws ChainsError CONFIG_INVALID */
export function configWith(
  data: JsonObject | undefined,
  { insecure }: Pick<SubjectOptions, 'insecure'>,
): Config {
  const changed = insecure === true ? { 'storage.oci.repository.insecure': 'true' } : {};
  return parseConfig({ ...data, ...changed }).config;
}

function toVerify(
  subject: VerifiedSubject,
  config: Config,
  { store }: SubjectOptions,
  hints: readonly string[],
): ToVerify {
  const ofKind = storesOf(config, ('run' in subject ? subject.run : subject.gone).kind);
  const common = { subject, config, hints, strict: false };
  if (store === undefined) return { ...common, stores: ofKind };
  if (store === 'all')
    return { ...common, stores: [...new Set([...ofKind, ...config['artifacts.oci.storage']])] };
  return { ...common, strict: true, stores: parseStores(store) };
}

function parseStores(text: string): readonly StoreName[] {
  const names = text.split(',');
  const unknown = names.find((name) => !isStoreName(name));
  if (unknown !== undefined) {
    throw usageError(
      `--store ${JSON.stringify(unknown.slice(0, 60))} is not known: use all, ${storeNames.join(', ')}`,
    );
  }
  if (names.includes('pubsub')) {
    throw usageError(
      "the store pubsub can't be read back: what was published is with its consumers; give another --store",
    );
  }
  return [...new Set(names.filter(isStoreName))];
}
