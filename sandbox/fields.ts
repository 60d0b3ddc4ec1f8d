import { isJsonObject, type Json, type JsonObject, member } from '../src/json.ts';
import type { Kind } from './kinds.ts';
import { isList, objectOf } from './values.ts';

/**
 * The fields of an object, one path each, as server-side apply counts them. A path is a chain of the segments that
 * `fieldsV1` uses: `f:name`, `v:<JSON>` for an item of a set, `k:<JSON>` for one of a keyed list.
 */
export type Paths = ReadonlySet<string>;

const separator = '\u0000';
const join = (path: string, segment: string) => (path === '' ? segment : path + separator + segment);
const dotted = (path: string) => path.replaceAll(`${separator}f:`, '.').slice(2);

/** Lists that are merged by item: by value, or by the key named. All other lists are one value. */
const lists: ReadonlyMap<string, string> = new Map([
  ['metadata.finalizers', 'value'],
  ['metadata.ownerReferences', 'uid'],
]);

/** The same, for the fields of kinds with a schema. */
const coreLists: ReadonlyMap<string, string> = new Map([...lists, ['secrets', 'name']]);

/** Objects that are one value, in kinds with a schema. */
const atomic = ['involvedObject', 'related'];
/** Objects that always exist in kinds with a schema, so that they have no owner. */
const structs = ['metadata', 'spec', 'status', 'source', 'series'];

/** How a list at a path is merged: by `value`, by the name of a key, or undefined for a list that is one value. */
export function mergeKeyOf(kind: Kind, path: string): string | undefined {
  return (kind.custom ? lists : coreLists).get(dotted(path));
}

/** Whether a value at a path is taken apart into its members. */
export function granular(kind: Kind, path: string, value: Json | undefined): value is JsonObject {
  return isJsonObject(value) && (kind.custom || !atomic.includes(dotted(path)));
}

/** The path of a member. */
export function memberPath(path: string, name: string): string {
  return join(path, `f:${name}`);
}

/** The path of an item of a list that is merged by `key`. */
export function itemPath(path: string, item: Json, key: string): string {
  const segment =
    key === 'value' ? `v:${JSON.stringify(item)}` : `k:${JSON.stringify({ [key]: member(item, key) })}`;
  return join(path, segment);
}

/** Every field of an object: leaves with their value as JSON, containers with undefined. System fields are left out. */
export function fieldsOf(kind: Kind, content: JsonObject): ReadonlyMap<string, string | undefined> {
  const fields = new Map<string, string | undefined>();
  const walk = (value: Json, path: string): void => {
    const key = isList(value) && value.length > 0 ? mergeKeyOf(kind, path) : undefined;
    if (granular(kind, path, value) && Object.keys(value).length > 0) {
      if (!isStruct(kind, path)) fields.set(path, undefined);
      for (const [name, child] of Object.entries(value)) {
        if (child !== undefined && !(path === 'f:metadata' && system.has(name)))
          walk(child, memberPath(path, name));
      }
    } else if (key !== undefined && isList(value)) {
      fields.set(path, undefined);
      for (const item of value) fields.set(itemPath(path, item, key), JSON.stringify(item));
    } else if (!isStruct(kind, path)) {
      fields.set(path, JSON.stringify(value));
    }
  };
  for (const [name, child] of Object.entries(content))
    if (child !== undefined) walk(child, memberPath('', name));
  return fields;
}

const system = new Set([
  ...[
    'name',
    'namespace',
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'selfLink',
    'managedFields',
  ],
  ...['deletionTimestamp', 'deletionGracePeriodSeconds'],
]);

function isStruct(kind: Kind, path: string): boolean {
  return path === 'f:metadata' || (!kind.custom && structs.includes(dotted(path)));
}

/** What an apply of an object owns: its leaves, and those containers that have no schema. */
export function ownedBy(kind: Kind, fields: ReadonlyMap<string, string | undefined>): Set<string> {
  const schemaless = (path: string) => kind.custom && !path.startsWith('f:metadata');
  return new Set(
    [...fields].filter(([path, value]) => value !== undefined || schemaless(path)).map(([path]) => path),
  );
}

/** The paths as the tree that `fieldsV1` is. */
export function toFieldsV1(paths: Iterable<string>): JsonObject {
  type Node = Map<string, Node>;
  const root: Node = new Map();
  const owned = new Set<Node>();
  for (const path of paths) {
    let node = root;
    for (const segment of path.split(separator)) {
      const next = node.get(segment) ?? new Map();
      node.set(segment, next);
      node = next;
    }
    owned.add(node);
  }
  const write = (node: Node): JsonObject => {
    const members = [...node]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, child]) => [name, write(child)] as const);
    const self = node.size > 0 && owned.has(node) ? [['.', {}] as const] : [];
    return Object.fromEntries([...self, ...members]);
  };
  return write(root);
}

/** The paths of a `fieldsV1` tree. */
export function fromFieldsV1(tree: Json | undefined): Set<string> {
  const paths = new Set<string>();
  const read = (node: Json | undefined, path: string): void => {
    const entries = isJsonObject(node) ? Object.entries(node) : [];
    if (path !== '' && (entries.length === 0 || member(node, '.') !== undefined)) paths.add(path);
    for (const [segment, child] of entries) if (segment !== '.') read(child, join(path, segment));
  };
  read(tree, '');
  return paths;
}

/** The path as conflicts name it: `.metadata.finalizers[="a"]`. */
export function readable(path: string): string {
  return path
    .split(separator)
    .map((segment) => {
      const rest = segment.slice(2);
      if (segment.startsWith('f:')) return `.${rest}`;
      if (segment.startsWith('v:')) return `[=${rest}]`;
      return `[${rest.slice(1, -1).replace(/^"([^"]*)":/, '$1=')}]`;
    })
    .join('');
}

/** The object without the fields at `paths`, and without containers that this leaves empty. */
export function without(kind: Kind, content: JsonObject, paths: Paths): JsonObject {
  const inside = new Set(
    [...paths].flatMap((path) => path.split(separator).map((_, i, all) => all.slice(0, i).join(separator))),
  );
  const strip = (value: Json, path: string): Json | undefined => {
    if (!inside.has(path)) return paths.has(path) ? undefined : value;
    const key = mergeKeyOf(kind, path);
    if (isList(value)) {
      const left = value.filter((item) => key === undefined || !paths.has(itemPath(path, item, key)));
      return left.length === 0 ? undefined : left;
    }
    if (!isJsonObject(value)) return value;
    const left = Object.entries(value).flatMap(([name, child]) => {
      const kept = child === undefined ? undefined : strip(child, memberPath(path, name));
      return kept === undefined ? [] : [[name, kept] as const];
    });
    return left.length === 0 && path !== '' ? undefined : Object.fromEntries(left);
  };
  return objectOf(strip(content, ''));
}
