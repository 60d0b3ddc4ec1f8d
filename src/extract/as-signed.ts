import { isJsonList, isJsonObject, type Json, type JsonObject, member } from '../json.ts';
import { isOurFinalizer, isOurMark, ourManager } from '../model/marks.ts';
import type { Report } from '../model/problem.ts';

/**
 * A run's object as payloads may show it: without what Chains itself wrote on it, so that signing again gives the same
 * bytes, and without user information in URLs, which may be a password or token. A part that needs no change is not copied.
 */
export function asSigned(object: JsonObject, report: Report): JsonObject {
  const marked = withoutMarks(object);
  // Most runs hold none, so they are searched before anything is copied.
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
    labels: withoutOurs(member(metadata, 'labels')),
    annotations: withoutOurs(member(metadata, 'annotations')),
    finalizers: withoutItems(
      member(metadata, 'finalizers'),
      (name) => typeof name === 'string' && isOurFinalizer(name),
    ),
    managedFields: withoutItems(
      member(metadata, 'managedFields'),
      (entry) => member(entry, 'manager') === ourManager,
    ),
  };
  const isSame = Object.entries(kept).every(([key, value]) => value === member(metadata, key));
  if (isSame) return object;
  const entries = Object.entries({ ...metadata, ...kept }).filter(([, value]) => value !== undefined);
  return { ...object, metadata: Object.fromEntries(entries) };
}

/** Labels or annotations without our marks; undefined if no others are left, since an API server omits an empty map. */
function withoutOurs(map: Json | undefined): Json | undefined {
  if (!isJsonObject(map)) return map;
  const left = Object.entries(map).filter(([name, value]) => !isOurMark(name, value));
  if (left.length === Object.keys(map).length) return map;
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

/** A list without some of its items; undefined if no others are left. */
function withoutItems(list: Json | undefined, isOurs: (item: Json) => boolean): Json | undefined {
  if (!isJsonList(list) || !list.some(isOurs)) return list;
  const left = list.filter((item) => !isOurs(item));
  return left.length === 0 ? undefined : left;
}

/** Levels of a value that are searched: no field of Tekton's is this deep, and what is deeper can't be written. */
const deepest = 500;

function mayHoldUserInformation(value: Json, depth = 0): boolean {
  if (typeof value === 'string') return value.includes('://') && value.includes('@');
  if (typeof value !== 'object' || value === null || depth > deepest) return false;
  const items = isJsonList(value) ? value : Object.values(value);
  return items.some((item) => item !== undefined && mayHoldUserInformation(item, depth + 1));
}

/** The value without user information in the URLs of its texts; `found` receives the path of each place that had some. */
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
  const before = Object.entries(value);
  const entries = before.map(([key, item]) => {
    const where = path === '' ? key : `${path}.${key}`;
    return [key, item && withoutUserInformation(item, found, where, depth + 1)] as const;
  });
  return entries.every(([, item], index) => item === before[index]?.[1])
    ? value
    : Object.fromEntries(entries);
}

/** The user information of a URL; `sha…:` after it is a digest's algorithm. The limit keeps the time linear. */
const userInformation = /(ssh)?:\/\/([^/?#\\ \t\r\n\f\v"'`<>|,;(){}]{0,4095})@(?=(sha\d{1,3}:)?)/g;

function withoutUsers(text: string): string {
  return text.replace(userInformation, (found, ssh: string = '', user: string, digest?: string) => {
    // A variable of a script or of Tekton holds no user information yet, and what precedes a digest is an image.
    if (user.includes('$') || digest !== undefined) return found;
    // Over SSH the user's name is part of the address and is kept; a password is not.
    return ssh === '' || user === '' ? `${ssh}://` : `${ssh}://${user.split(':', 1)[0] ?? ''}@`;
  });
}
