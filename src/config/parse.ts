import { ChainsError } from '../errors.ts';
import { isJsonObject, type JsonObject, member, textIn } from '../json.ts';
import { closest } from './closest.ts';
import { contradictionsIn, doubtsAbout } from './contradictions.ts';
import { type Config, isKeyName, type Key, keys } from './keys.ts';
import { show } from './values.ts';

/** The name of the ConfigMap. */
export const configMapName = 'chains-config';

/** The namespace of the ConfigMap and of the Secret, unless another one is given. */
export const defaultSystemNamespace = 'tekton-chains';

/** The block of documentation that Tekton's ConfigMaps carry next to their keys. */
export const exampleKey = '_example';

/** A ConfigMap can hold 1 MiB of keys, which would be too many lines to read. */
const mostWarnings = 20;

const storageKeys = [
  'artifacts.taskrun.storage',
  'artifacts.pipelinerun.storage',
  'artifacts.oci.storage',
] as const;

/** The `data` of a ConfigMap. Values are `unknown` since callers of the library may pass anything. */
type Data = Readonly<Record<string, unknown>>;

/**
 * The keys and values in a document: a ConfigMap's `data`, or the bare map itself. An empty document is an empty map.
 * @throws ChainsError CONFIG_INVALID when the document is something else.
 */
export function configData(document: unknown): JsonObject {
  const invalid = (message: string) => new ChainsError('CONFIG_INVALID', message);
  if (document === undefined || document === null) return {};
  if (!isJsonObject(document))
    throw invalid('the configuration is neither a map of keys and values nor a ConfigMap');
  const kind = member(document, 'kind');
  if (kind === undefined) return document;
  if (kind !== 'ConfigMap')
    throw invalid(`the configuration is a ${String(kind)}: use a ConfigMap, or its bare data`);
  const data = member(document, 'data') ?? {};
  if (!isJsonObject(data)) throw invalid('data of the ConfigMap is not a map of keys and values');
  return data;
}

/**
 * Reads the `data` of `chains-config`; keys that are left out have their defaults. Unknown keys are warnings.
 * @throws ChainsError CONFIG_INVALID that names every problem at once.
 */
export function parseConfig(data: Data): {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** The warnings about known keys alone. */
  readonly doubts: readonly string[];
} {
  const given = withKafka(data);
  const problems: string[] = [];
  const values = Object.entries<Key<unknown>>(keys).map(([name, key]) => {
    const parsed = parseKey(name, key, member(given, name));
    if ('problem' in parsed) problems.push(parsed.problem);
    return [name, Object.freeze('value' in parsed ? parsed.value : undefined)] as const;
  });
  problems.push(...kafkaContradictions(data));
  if (problems.length > 0) throw invalid(problems);
  // fromEntries forgets which key holds which type; each value was made by the type of its own key.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const config = Object.freeze(Object.fromEntries(values)) as Config;
  const contradictions = contradictionsIn(config);
  if (contradictions.length > 0) throw invalid(contradictions);
  const doubts = doubtsAbout(config).map((doubt) => `${configMapName}: ${doubt}`);
  return { config, warnings: [...unknownKeys(data), ...doubts], doubts };
}

function invalid(problems: readonly string[]): ChainsError {
  return new ChainsError('CONFIG_INVALID', `${configMapName}: ${problems.join('; ')}`, {
    hint: 'docs/config.md lists every key, what is allowed and the default.',
  });
}

function parseKey(
  name: string,
  { type, default: standard, secret }: Key<unknown>,
  given: unknown,
): { readonly value: unknown } | { readonly problem: string } {
  if (given !== undefined && typeof given !== 'string')
    return { problem: `${name} is ${kindOf(given)}, not a string: put its value in quotes` };
  const isUnset = given === undefined || (given === '' && standard === undefined);
  const text = isUnset ? standard : given;
  if (text === undefined) return { value: undefined };
  const reading = type.parse(text);
  if (reading.ok) return { value: reading.value };
  const shown = secret === true ? 'a value that is not shown here' : show(text);
  const meant = reading.meant === undefined ? '' : ` (did you mean ${JSON.stringify(reading.meant)}?)`;
  return {
    problem: `${name} is ${shown}, ${reading.wrong}${meant}: use ${type.allowed.replaceAll('`', '')}`,
  };
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** The keys whose value lists the storage `kafka`. */
function keysWithKafka(data: Data): readonly string[] {
  return storageKeys.filter((key) =>
    textIn(member(data, key))
      .split(',')
      .some((entry) => entry.trim() === 'kafka'),
  );
}

/** The storage `kafka` is read as `pubsub` with the provider `kafka`, since other Chains' documents say so. */
function withKafka(data: Data): Data {
  const isUnset = (member(data, 'storage.pubsub.provider') ?? '') === '';
  return isUnset && keysWithKafka(data).length > 0 ? { ...data, 'storage.pubsub.provider': 'kafka' } : data;
}

function kafkaContradictions(data: Data): readonly string[] {
  if (member(data, 'storage.pubsub.provider') !== 'gcp') return [];
  return keysWithKafka(data).map(
    (key) => `${key} names kafka, but storage.pubsub.provider is "gcp": use pubsub, or the provider kafka`,
  );
}

/** What is wrong with the unknown keys, one line each. */
export function unknownKeys(data: Data): readonly string[] {
  const unknown = Object.keys(data).filter((name) => !isKeyName(name) && name !== exampleKey);
  const named = unknown.slice(0, mostWarnings).map((name) => {
    const meant = closest(name, Object.keys(keys));
    const advice = meant === undefined ? 'docs/config.md lists the known ones' : `did you mean ${meant}?`;
    return `${configMapName}: the key ${show(name)} is not known and is ignored; ${advice}`;
  });
  const more = unknown.length - named.length;
  return more === 0 ? named : [...named, `${configMapName}: ${more} more keys are not known and are ignored`];
}
