import { ChainsError } from '../errors.ts';
import { closest } from './closest.ts';
import { contradictionsIn, doubtsAbout } from './contradictions.ts';
import { type Config, isKeyName, type KeyName, keys } from './keys.ts';
import { show, type ValueType } from './values.ts';

/** The name of the ConfigMap. */
export const configMapName = 'chains-config';

/** The block of documentation that Tekton's ConfigMaps carry next to their keys. */
export const exampleKey = '_example';

/** A ConfigMap can hold 1 MiB of keys, which would be too many lines to read. */
const mostWarnings = 20;

const storageKeys = [
  'artifacts.taskrun.storage',
  'artifacts.pipelinerun.storage',
  'artifacts.oci.storage',
] as const;

interface KeyAndText {
  readonly type: ValueType<unknown>;
  readonly default?: string;
  readonly secret?: boolean;
}

type Parsed = { readonly value: unknown } | { readonly problem: string };

/**
 * Reads the `data` of `chains-config`; keys that are left out have their defaults. Keys that aren't known are warnings.
 * Values are `unknown` since callers from outside may hand over anything.
 * @throws ChainsError CONFIG_INVALID that names every problem at once.
 */
export function parseConfig(data: Readonly<Record<string, unknown>>): {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Those of the warnings that are of keys which are known. */
  readonly doubts: readonly string[];
} {
  const given = withKafka(data);
  const parsed = Object.entries<KeyAndText>(keys).map(
    ([name, entry]) => [name, parseKey(name, entry, own(given, name))] as const,
  );
  const problems = [
    ...parsed.flatMap(([, result]) => ('problem' in result ? [result.problem] : [])),
    ...contradictions(data),
  ];
  if (problems.length > 0) throw invalid(problems);
  const values = parsed.map(
    ([name, result]) => [name, Object.freeze('value' in result ? result.value : undefined)] as const,
  );
  // fromEntries forgets which key holds which type; each value was made by the type of its own key.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const config = Object.freeze(Object.fromEntries(values)) as Config;
  const contradicting = contradictionsIn(config);
  if (contradicting.length > 0) throw invalid(contradicting);
  const doubts = doubtsAbout(config).map((doubt) => `${configMapName}: ${doubt}`);
  return { config, warnings: [...unknownKeys(data), ...doubts], doubts };
}

function invalid(problems: readonly string[]): ChainsError {
  return new ChainsError('CONFIG_INVALID', `${configMapName}: ${problems.join('; ')}`, {
    hint: 'docs/config.md lists every key, what is allowed and the default.',
  });
}

/** The configuration of a ConfigMap without any key. */
export const defaultConfig: Config = parseConfig({}).config;

function own(data: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(data, name) ? data[name] : undefined;
}

function parseKey(name: string, entry: KeyAndText, given: unknown): Parsed {
  if (given !== undefined && typeof given !== 'string') {
    return { problem: `${name} is ${kindOf(given)}, not a string: put its value in quotes` };
  }
  const unset = given === undefined || (given === '' && entry.default === undefined);
  const text = unset ? entry.default : given;
  if (text === undefined) return { value: undefined };
  const reading = entry.type.parse(text);
  if (reading.ok) return { value: reading.value };
  const shown = entry.secret === true ? 'a value that is not shown here' : show(text);
  const meant = reading.meant === undefined ? '' : ` (did you mean ${JSON.stringify(reading.meant)}?)`;
  return {
    problem: `${name} is ${shown}, ${reading.wrong}${meant}: use ${entry.type.allowed.replaceAll('`', '')}`,
  };
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function namesKafka(data: Readonly<Record<string, unknown>>, key: KeyName): boolean {
  const value = own(data, key);
  return typeof value === 'string' && value.split(',').some((entry) => entry.trim() === 'kafka');
}

/** The storage `kafka` is read as `pubsub` with the provider `kafka`, since other Chains' documents say so. */
function withKafka(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const provider = own(data, 'storage.pubsub.provider') ?? '';
  const implied = provider === '' && storageKeys.some((key) => namesKafka(data, key));
  return implied ? { ...data, 'storage.pubsub.provider': 'kafka' } : data;
}

function contradictions(data: Readonly<Record<string, unknown>>): readonly string[] {
  if (own(data, 'storage.pubsub.provider') !== 'gcp') return [];
  return storageKeys
    .filter((key) => namesKafka(data, key))
    .map(
      (key) => `${key} names kafka, but storage.pubsub.provider is "gcp": use pubsub, or the provider kafka`,
    );
}

/** What is wrong with the keys that aren't known, one line each. */
export function unknownKeys(data: Readonly<Record<string, unknown>>): readonly string[] {
  const unknown = Object.keys(data).filter((name) => !isKeyName(name) && name !== exampleKey);
  const named = unknown.slice(0, mostWarnings).map((name) => {
    const meant = closest(name, Object.keys(keys));
    const advice = meant === undefined ? 'docs/config.md lists the known ones' : `did you mean ${meant}?`;
    return `${configMapName}: the key ${show(name)} is not known and is ignored; ${advice}`;
  });
  const more = unknown.length - named.length;
  return more === 0 ? named : [...named, `${configMapName}: ${more} more keys are not known and are ignored`];
}
