import { isJsonList, isJsonObject, type Json, type JsonObject, member } from '../json.ts';
import { isOurFinalizer, isOurMark, ourManager } from '../model/marks.ts';
import type { Report } from '../model/problem.ts';

/**
 * A run's object as payloads may show it: without what Chains itself wrote on it, so that signing again gives the same
 * bytes, and without user information in URLs, which may be a password or token. What is equal stays the same object.
 */
export function asSigned(object: JsonObject, report: Report): JsonObject {
  const marked = withoutMarks(object);
  // Most runs hold none, and are only looked through.
  if (!mayHoldUserInformation(marked)) return marked;
  const found: string[] = [];
  const shown = withoutUserInformation(marked, (path) => found.push(path));
  const [first, ...more] = found;
  if (first !== undefined) {
    const others = more.length === 0 ? '' : `, as in ${more.length} other places`;
    report(
      first,
      `the URL here holds user information, which is left out of what is signed${others}; don't put credentials into runs, and replace these`,
    );
  }
  return isJsonObject(shown) ? shown : object;
}

function withoutMarks(object: JsonObject): JsonObject {
  const metadata = member(object, 'metadata');
  if (!isJsonObject(metadata)) return object;
  const kept = {
    labels: without(metadata, 'labels', ([name, value]) => isOurMark(name, value)),
    annotations: without(metadata, 'annotations', ([name, value]) => isOurMark(name, value)),
    finalizers: withoutItems(
      metadata,
      'finalizers',
      (name) => typeof name === 'string' && isOurFinalizer(name),
    ),
    managedFields: withoutItems(metadata, 'managedFields', (one) => member(one, 'manager') === ourManager),
  };
  const isSame = Object.entries(kept).every(([key, value]) => value === member(metadata, key));
  if (isSame) return object;
  const entries = Object.entries({ ...metadata, ...kept }).filter(([, value]) => value !== undefined);
  return { ...object, metadata: Object.fromEntries(entries) };
}

/** A map without some of its entries; undefined where none is left of several, as an API server leaves it out then. */
function without(
  metadata: JsonObject,
  key: string,
  isLeftOut: (entry: readonly [string, Json | undefined]) => boolean,
): Json | undefined {
  const map = member(metadata, key);
  if (!isJsonObject(map) || !Object.entries(map).some(isLeftOut)) return map;
  const left = Object.entries(map).filter((entry) => !isLeftOut(entry));
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

function withoutItems(
  metadata: JsonObject,
  key: string,
  isLeftOut: (item: Json) => boolean,
): Json | undefined {
  const list = member(metadata, key);
  if (!isJsonList(list) || !list.some(isLeftOut)) return list;
  const left = list.filter((item) => !isLeftOut(item));
  return left.length === 0 ? undefined : left;
}

/** Levels of a value that are looked into: no field of Tekton's is this deep, and what is deeper can't be written. */
const deepest = 500;

function mayHoldUserInformation(value: Json, depth = 0): boolean {
  if (typeof value === 'string') return value.includes('://') && value.includes('@');
  if (typeof value !== 'object' || value === null || depth > deepest) return false;
  if (isJsonList(value)) return value.some((item) => mayHoldUserInformation(item, depth + 1));
  for (const key in value) {
    const item = value[key];
    if (item !== undefined && Object.hasOwn(value, key) && mayHoldUserInformation(item, depth + 1))
      return true;
  }
  return false;
}

/** The value without user information in the URLs of its texts; each place that had some is passed to `found`. */
export function withoutUserInformation(
  value: Json,
  found: (path: string) => void,
  path = '',
  depth = 0,
): Json {
  if (depth > deepest) return value;
  if (typeof value === 'string') {
    const text = withoutUsers(value);
    if (text !== value) found(path);
    return text;
  }
  if (isJsonList(value)) {
    const items = value.map((item, index) =>
      withoutUserInformation(item, found, `${path}[${index}]`, depth + 1),
    );
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (!isJsonObject(value)) return value;
  let isSame = true;
  const entries = Object.entries(value).map(([key, item]) => {
    if (item === undefined) return [key, item] as const;
    const shown = withoutUserInformation(item, found, path === '' ? key : `${path}.${key}`, depth + 1);
    isSame &&= shown === item;
    return [key, shown] as const;
  });
  return isSame ? value : Object.fromEntries(entries);
}

/** What ends the part of a URL that names user and host. */
const ends = new Set('/?#\\ \t\r\n\f\v"\'`<>|,;(){}');
/** More than any user information and host have. */
const longestAuthority = 4096;

function withoutUsers(text: string): string {
  let shown = '';
  let from = 0;
  for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at + 3)) {
    const start = at + 3;
    let end = start;
    while (end < text.length && end - start < longestAuthority && !ends.has(text.charAt(end))) end += 1;
    const authority = text.slice(start, end);
    const length = authority.lastIndexOf('@');
    if (length === -1) continue;
    const user = authority.slice(0, length);
    const users = start + length;
    // A variable of a script or of Tekton is no user information yet; what precedes a digest is an image.
    if (user.includes('$') || /^sha\d{1,3}:/.test(text.slice(users + 1, users + 8))) continue;
    shown += text.slice(from, start) + loginOf(text.slice(0, at), user);
    from = users + 1;
  }
  return from === 0 ? text : shown + text.slice(from);
}

/** Over SSH the user's name is part of the address and no secret; a password in it is. */
function loginOf(before: string, user: string): string {
  return before.endsWith('ssh') && user !== '' ? `${user.split(':', 1)[0] ?? ''}@` : '';
}
