import { closest } from './closest.ts';
import { isKeyName, type KeyName, keys } from './keys.ts';
import { exampleKey } from './parse.ts';
import { boolean, show } from './values.ts';

/** A line of another Chains' ConfigMap that has to be written differently here to behave as it did there. */
export interface KeyChange {
  readonly key: string;
  /** Undefined where the line is left out. */
  readonly value: string | undefined;
  /** One line, for the comment next to it. */
  readonly why: string;
  /** True where the old value can't be kept, and a person has to choose a new one. */
  readonly isOpen: boolean;
}

/** The `data` of a ConfigMap. */
export type Lines = Readonly<Record<string, string>>;

type Rewrite = Omit<KeyChange, 'key'>;

/** What changes about one line; undefined where the rule has nothing to say. */
type MigrationRule = (key: KeyName, value: string, lines: Lines) => Rewrite | undefined;

/** What the formats of older releases have become. */
const olderFormats: Readonly<Record<string, Rewrite>> = {
  'tekton-provenance': become('in-toto', 'it was the name of `in-toto` before release 0.9', false),
  'slsa/v2alpha1': become(
    'slsa/v2alpha3',
    'this format is gone from every Chains, and this is the nearest',
    true,
  ),
  'slsa/v2alpha2': become(
    'slsa/v2alpha3',
    'this format is gone from every Chains, and this is the nearest',
    true,
  ),
};

/** The defaults of another Chains that are others here. */
const otherDefaults: Readonly<Partial<Record<KeyName, Rewrite>>> = {
  'artifacts.taskrun.format': become(
    'in-toto',
    'the default of another Chains (before 2023: tekton); here it is tekton',
    false,
  ),
};

/** The keys whose values another Chains checks: one that is wrong there made it refuse the whole ConfigMap. */
const checked =
  /^artifacts\.\w+\.(format|storage|signer)$|^builddefinition\.buildtype$|^storage\.(pubsub\.provider|oci\.encoding-format)$/;

/** The first that has something to say decides. */
const rules: readonly MigrationRule[] = [
  (key, value) =>
    key.endsWith('.format') && Object.hasOwn(olderFormats, value) ? olderFormats[value] : undefined,
  (key, value) =>
    keys[key].type === boolean && !boolean.parse(value).ok
      ? become('false', 'another Chains reads a value that is not a boolean as false', false)
      : undefined,
  (key, value) =>
    key === 'transparency.enabled' && !['true', 'manual', 'false'].includes(value)
      ? become('false', 'another Chains reads everything but true and manual as false', false)
      : undefined,
  (key, value) =>
    key === 'storage.pubsub.provider' && value === 'inmemory'
      ? become('', 'messages in memory reached nobody; there is no such provider here', false)
      : undefined,
  (key, value, lines) =>
    key === 'storage.oci.repository' &&
    value !== '' &&
    lines['storage.oci.encoding-format'] === 'sigstore-bundle'
      ? become('', 'another Chains ignores it with sigstore-bundle, and here it counts', false)
      : undefined,
  (key, value) => (accepts(key, value) ? become(value, '', false) : undefined),
  (key, value) =>
    checked.test(key)
      ? become(
          nearest(key, value),
          `another Chains refuses ${show(value)}, and with it the whole ConfigMap, so that it never counted: check what it should be`,
          true,
        )
      : undefined,
  (key, value) =>
    value.trim() === ''
      ? become(unset(key), 'empty is not allowed here; this means the same', false)
      : undefined,
  (key, value) =>
    accepts(key, value.trim()) ? become(value.trim(), 'without the space around it', false) : undefined,
  (key, value) =>
    become(
      unset(key),
      `${secretly(key, value)} is not allowed here, and this is the default: check what it should be`,
      true,
    ),
];

function become(value: string, why: string, isOpen: boolean): Rewrite {
  return { value, why, isOpen };
}

/** What has to change in another Chains' ConfigMap so that this one does with it what that one did. */
export function changesFor(lines: Lines): readonly KeyChange[] {
  const added = Object.entries(otherDefaults)
    .filter(([key]) => !Object.hasOwn(lines, key))
    .map(([key, rewrite]) => ({ key, ...rewrite }));
  return [...added, ...Object.entries(lines).flatMap(([key, value]) => changeOf(key, value, lines))];
}

function changeOf(key: string, value: string, lines: Lines): readonly KeyChange[] {
  if (key === exampleKey) return [];
  if (!isKeyName(key)) {
    const meant = closest(key, Object.keys(keys));
    const advice = meant === undefined ? '' : `; did you mean ${meant}?`;
    return [
      {
        key,
        value: undefined,
        why: `another Chains doesn't read this key either${advice}`,
        isOpen: meant !== undefined,
      },
    ];
  }
  const rewrite = rules
    .values()
    .map((rule) => rule(key, value, lines))
    .find((one) => one !== undefined);
  return rewrite === undefined || rewrite.value === value ? [] : [{ key, ...rewrite }];
}

function accepts(key: KeyName, value: string): boolean {
  return keys[key].type.parse(value).ok || (value === '' && unset(key) === '');
}

/** What a line says that means the same as none; a line that is left out would stay when the ConfigMap is applied. */
function unset(key: KeyName): string {
  const entry = keys[key];
  return otherDefaults[key]?.value ?? ('default' in entry ? entry.default : '');
}

/** The entries of a list that are allowed, or the one word that was meant; the default where there is none. */
function nearest(key: KeyName, value: string): string {
  const entries = value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '' && accepts(key, entry));
  return entries.length === 0 ? unset(key) : entries.join(',');
}

function secretly(key: KeyName, value: string): string {
  return 'secret' in keys[key] ? 'the value' : show(value);
}
