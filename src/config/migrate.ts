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

/** What the formats of older releases have become. */
const olderFormats: Readonly<Record<string, Rewrite>> = {
  'tekton-provenance': rewrite('in-toto', 'it was the name of `in-toto` before release 0.9'),
  'slsa/v2alpha1': choose('slsa/v2alpha3', 'this format is gone from every Chains, and this is the nearest'),
  'slsa/v2alpha2': choose('slsa/v2alpha3', 'this format is gone from every Chains, and this is the nearest'),
};

/** The keys that have another default in another Chains. */
const otherDefaults: Readonly<Partial<Record<KeyName, Rewrite>>> = {
  'artifacts.taskrun.format': rewrite(
    'in-toto',
    'the default of another Chains (before 2023: tekton); here it is tekton',
  ),
};

/** The keys whose values another Chains checks: a wrong one made it refuse the whole ConfigMap. */
const checked =
  /^artifacts\.\w+\.(format|storage|signer)$|^builddefinition\.buildtype$|^storage\.(pubsub\.provider|oci\.encoding-format)$/;

/** A value that means the same. */
function rewrite(value: string, why: string): Rewrite {
  return { value, why, isOpen: false };
}

/** A value in place of one that can't be kept. */
function choose(value: string, why: string): Rewrite {
  return { value, why, isOpen: true };
}

/** What has to change in another Chains' ConfigMap to mean the same here. */
export function changesFor(lines: Lines): readonly KeyChange[] {
  const added = Object.entries(otherDefaults)
    .filter(([key]) => !Object.hasOwn(lines, key))
    .map(([key, change]) => ({ key, ...change }));
  return [...added, ...Object.entries(lines).flatMap(([key, value]) => changeOf(key, value, lines))];
}

function changeOf(key: string, value: string, lines: Lines): readonly KeyChange[] {
  if (key === exampleKey) return [];
  if (isKeyName(key)) {
    const change = rewriteOf(key, value, lines);
    return change === undefined || change.value === value ? [] : [{ key, ...change }];
  }
  const meant = closest(key, Object.keys(keys));
  const advice = meant === undefined ? '' : `; did you mean ${meant}?`;
  const why = `another Chains doesn't read this key either${advice}`;
  return [{ key, value: undefined, why, isOpen: meant !== undefined }];
}

/** What a line has to be here; undefined where it stays. */
function rewriteOf(key: KeyName, value: string, lines: Lines): Rewrite | undefined {
  if (key.endsWith('.format') && Object.hasOwn(olderFormats, value)) return olderFormats[value];
  if (keys[key].type === boolean && !boolean.parse(value).ok)
    return rewrite('false', 'another Chains reads a value that is not a boolean as false');
  if (key === 'transparency.enabled' && !['true', 'manual', 'false'].includes(value))
    return rewrite('false', 'another Chains reads everything but true and manual as false');
  if (key === 'storage.pubsub.provider' && value === 'inmemory')
    return rewrite('', 'messages in memory reached nobody; there is no such provider here');
  if (key === 'storage.oci.repository' && lines['storage.oci.encoding-format'] === 'sigstore-bundle')
    return rewrite('', 'another Chains ignores it with sigstore-bundle; here it would be used');
  if (accepts(key, value)) return undefined;
  if (checked.test(key))
    return choose(
      nearest(key, value),
      `another Chains refuses ${show(value)}, and with it the whole ConfigMap, so that it never had an effect: check what it should be`,
    );
  const trimmed = value.trim();
  if (trimmed === '') return rewrite(unset(key), 'empty is not allowed here; this means the same');
  if (accepts(key, trimmed)) return rewrite(trimmed, 'without the space around it');
  const shown = 'secret' in keys[key] ? 'the value' : show(value);
  return choose(unset(key), `${shown} is not allowed here, and this is the default: check what it should be`);
}

function accepts(key: KeyName, value: string): boolean {
  return keys[key].type.parse(value).ok || (value === '' && unset(key) === '');
}

/** The value that means the same as a missing line; `kubectl apply` would keep the old line if this one were left out. */
function unset(key: KeyName): string {
  const entry = keys[key];
  return otherDefaults[key]?.value ?? ('default' in entry ? entry.default : '');
}

/** The allowed entries of a list, or the default without any. */
function nearest(key: KeyName, value: string): string {
  const entries = value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '' && accepts(key, entry));
  return entries.length === 0 ? unset(key) : entries.join(',');
}
