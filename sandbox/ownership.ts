import { at, isJsonObject, type Json, type JsonObject, member } from '../src/json.ts';
import { Failure } from './failure.ts';
import {
  fieldsOf,
  fromFieldsV1,
  granular,
  itemPath,
  memberPath,
  mergeKeyOf,
  ownedBy,
  type Paths,
  readable,
  toFieldsV1,
  without,
} from './fields.ts';
import type { Kind } from './kinds.ts';
import { isList, listOf, metadataOf, objectOf } from './values.ts';

/** Who writes, by which version of the API and where: one entry of `managedFields`. */
export interface Author {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
}

interface Owner extends Author {
  readonly time: string;
  readonly paths: Paths;
}

const same = (a: Author, b: Author) =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.apiVersion === b.apiVersion &&
  a.subresource === b.subresource;

function ownersOf(content: JsonObject | undefined): readonly Owner[] {
  const entries = at(content, 'metadata', 'managedFields');
  return listOf(entries).map((entry) => ({
    manager: String(member(entry, 'manager') ?? ''),
    operation: member(entry, 'operation') === 'Apply' ? 'Apply' : 'Update',
    apiVersion: String(member(entry, 'apiVersion') ?? ''),
    subresource: String(member(entry, 'subresource') ?? ''),
    time: String(member(entry, 'time') ?? ''),
    paths: fromFieldsV1(member(entry, 'fieldsV1')),
  }));
}

function withOwners(content: JsonObject, owners: readonly Owner[]): JsonObject {
  const entries = owners
    .filter((owner) => owner.paths.size > 0)
    .toSorted((a, b) => order(a).localeCompare(order(b)))
    .map(({ manager, operation, apiVersion, subresource, time, paths }) => ({
      ...{ manager, operation, apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: toFieldsV1(paths) },
      ...(subresource === '' ? {} : { subresource }),
    }));
  const { managedFields: _, ...metadata } = metadataOf(content);
  return {
    ...content,
    metadata: { ...metadata, ...(entries.length === 0 ? {} : { managedFields: entries }) },
  };
}

const order = ({ operation, time, manager, subresource }: Owner) =>
  `${operation} ${time} ${manager} ${subresource}`;

const union = (a: Paths, b: Paths): Paths => new Set([...a, ...b]);
const minus = (a: Paths, ...others: readonly Paths[]): Paths =>
  new Set([...a].filter((path) => !others.some((other) => other.has(path))));
const equal = (a: Paths, b: Paths) => a.size === b.size && minus(a, b).size === 0;

const none: Paths = new Set();

interface Difference {
  readonly changed: Paths;
  readonly removed: Paths;
}

function compare(kind: Kind, before: JsonObject | undefined, after: JsonObject): Difference {
  const old = before === undefined ? new Map<string, string | undefined>() : fieldsOf(kind, before);
  const now = fieldsOf(kind, after);
  return {
    changed: new Set(
      [...now].filter(([path, value]) => !old.has(path) || old.get(path) !== value).map(([path]) => path),
    ),
    removed: new Set([...old.keys()].filter((path) => !now.has(path))),
  };
}

/** Records that `author` made `after` out of `before` by an ordinary write: what changed is the author's now. */
export function recordUpdate(
  kind: Kind,
  before: JsonObject | undefined,
  after: JsonObject,
  author: Author,
  time: string,
): JsonObject {
  const { changed, removed } = compare(kind, before, after);
  const owners = ownersOf(before);
  const mine = owners.find((owner) => same(owner, author));
  const others = owners.filter((owner) => owner !== mine);
  const paths = minus(union(mine?.paths ?? none, changed), removed);
  const unchanged = mine !== undefined && equal(paths, mine.paths);
  return withOwners(after, [
    ...others.map((owner) => ({ ...owner, paths: minus(owner.paths, changed, removed) })),
    { ...author, time: unchanged ? mine.time : time, paths },
  ]);
}

/**
 * Server-side apply: merges `intent` into `before`, takes away what an earlier apply of this author set and this one
 * leaves out, and records who owns what. @throws Failure 409 naming each field that another manager owns, unless `force`
 */
export function apply(
  kind: Kind,
  before: JsonObject | undefined,
  intent: JsonObject,
  author: Author,
  options: { readonly force: boolean; readonly time: string },
): JsonObject {
  const owners = ownersOf(before);
  const mine = owners.find((owner) => same(owner, author));
  const others = owners.filter((owner) => owner !== mine);
  const merged = objectOf(merge(kind, before ?? {}, intent, ''));
  const { changed } = compare(kind, before, merged);
  const conflicts = others.flatMap((owner) =>
    [...owner.paths].filter((path) => changed.has(path)).map((path) => ({ owner, path })),
  );
  if (conflicts.length > 0 && !options.force) throw refusal(conflicts);
  const paths = ownedBy(kind, fieldsOf(kind, intent));
  const elsewhere = others.map((owner) => owner.paths);
  const dropped = minus(mine?.paths ?? none, paths, ...elsewhere);
  const after = without(kind, merged, dropped);
  const { removed } = compare(kind, before, after);
  const unchanged = mine !== undefined && equal(paths, mine.paths);
  return withOwners(after, [
    ...others.map((owner) => ({ ...owner, paths: minus(owner.paths, changed, removed) })),
    { ...author, time: unchanged ? mine.time : options.time, paths },
  ]);
}

function merge(kind: Kind, before: Json | undefined, intent: Json, path: string): Json {
  const key = mergeKeyOf(kind, path);
  if (isList(intent) && isList(before) && key !== undefined) {
    const mine = new Map(intent.map((item) => [itemPath(path, item, key), item]));
    const kept = before.filter((item) => !mine.has(itemPath(path, item, key)));
    return [...kept, ...intent];
  }
  if (!granular(kind, path, intent) || !isJsonObject(before)) return intent;
  const members = Object.entries(intent).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[name, merge(kind, member(before, name), value, memberPath(path, name))] as const],
  );
  return { ...before, ...Object.fromEntries(members) };
}

function refusal(conflicts: readonly { readonly owner: Owner; readonly path: string }[]): Failure {
  const causes = conflicts.map(({ owner, path }) => {
    const version = owner.operation === 'Update' ? ` using ${owner.apiVersion}` : '';
    const subresource = owner.subresource === '' ? '' : ` with subresource "${owner.subresource}"`;
    const field = readable(path);
    return {
      reason: 'FieldManagerConflict',
      message: `conflict with "${owner.manager}"${subresource}${version}`,
      field,
    };
  });
  causes.sort((a, b) => (a.message + a.field < b.message + b.field ? -1 : 1));
  const [first] = causes;
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${first?.message}: ${first?.field}`
      : `Apply failed with ${causes.length} conflicts: ${causes.map((cause) => `${cause.message}: ${cause.field}`).join('\n')}`;
  return new Failure(409, 'Conflict', message, { causes });
}
