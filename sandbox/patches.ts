import jsonPatchLibrary, { type Operation } from 'fast-json-patch';
import { isJsonObject, type Json, type JsonObject, member } from '../src/json.ts';
import { badRequest, Failure } from './failure.ts';
import { isList, listOf, objectOf, parseJson, present } from './values.ts';

/** RFC 7386. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const base = objectOf(target);
  const members = Object.entries(patch).map(([key, value]) => {
    return [
      key,
      value === null || value === undefined ? undefined : mergePatch(member(base, key), value),
    ] as const;
  });
  return present({ ...base, ...Object.fromEntries(members) });
}

/** RFC 6902. @throws Failure 400 for what is not a patch, 422 for one that can't be applied */
export function jsonPatch(target: JsonObject, patch: Json): Json {
  if (!isOperations(patch)) throw badRequest('error decoding patch: a JSON patch is a list of operations');
  try {
    // Objects without a prototype, so that a path through `__proto__` or `constructor` meets nothing but data.
    const document = jsonPatchLibrary.applyPatch(bare(target), bare(patch), true, true, false).newDocument;
    return parseJson(JSON.stringify(document) ?? 'null');
  } catch (error) {
    const message = `the server rejected our request due to an error in our request: ${String(error).split('\n')[0]}`;
    throw new Failure(422, 'Invalid', message, {});
  }
}

function isOperations(patch: unknown): patch is Operation[] {
  return Array.isArray(patch) && patch.every((operation) => isJsonObject(operation));
}

function bare<T>(value: T): T;
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => bare(item));
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(
    ([key, child]) => [key, { value: bare(child), ...plain }] as const,
  );
  const copy: unknown = Object.create(null, Object.fromEntries(members));
  return copy;
}

const plain = { enumerable: true, configurable: true, writable: true };

/** Lists of the core kinds that are merged by item: by value, or by the key named. */
const mergedLists: ReadonlyMap<string, string> = new Map([
  ['metadata.finalizers', 'value'],
  ['metadata.ownerReferences', 'uid'],
  ['secrets', 'name'],
  ['status.conditions', 'type'],
]);

/** Kubernetes' own strategic merge patch, as far as the kinds here go. */
export function strategicPatch(target: Json | undefined, patch: Json, path = ''): Json {
  if (!isJsonObject(patch)) return patch;
  const { $patch: directive, ...rest } = patch;
  if (directive === 'replace') return present(rest);
  let result: JsonObject = objectOf(target);
  for (const [key, value] of Object.entries(rest)) {
    if (value === undefined || key.startsWith('$setElementOrder/') || key === '$retainKeys') continue;
    const deletion = key.startsWith('$deleteFromPrimitiveList/');
    const name = deletion ? key.slice(key.indexOf('/') + 1) : key;
    const before = member(result, name);
    const here = path === '' ? name : `${path}.${name}`;
    const after = deletion ? withoutItems(before, value) : merged(before, value, here);
    result = { ...result, ...Object.fromEntries([[name, after]]) };
  }
  return present(result);
}

function merged(before: Json | undefined, patch: Json, path: string): Json | undefined {
  if (patch === null || member(patch, '$patch') === 'delete') return undefined;
  const key = mergedLists.get(path);
  if (!isList(patch) || key === undefined) return strategicPatch(before, patch, path);
  if (patch.some((item) => member(item, '$patch') === 'replace')) {
    return patch.filter((item) => member(item, '$patch') === undefined);
  }
  const identity = (item: Json) => JSON.stringify(key === 'value' ? item : member(item, key));
  const items = new Map(listOf(before).map((item) => [identity(item), item]));
  for (const item of patch) {
    const id = identity(item);
    if (member(item, '$patch') === 'delete') items.delete(id);
    else items.set(id, strategicPatch(items.get(id), item, `${path}[]`));
  }
  return [...items.values()];
}

function withoutItems(before: Json | undefined, removed: Json): Json | undefined {
  const gone = listOf(removed);
  const left = listOf(before).filter((item) => !gone.includes(item));
  return left.length === 0 ? undefined : left;
}
