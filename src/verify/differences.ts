import { withoutUserInformation } from '../extract/as-signed.ts';
import { quote } from '../text.ts';
import { isJsonList, isJsonObject, type Json, member, parseJson } from '../json.ts';

/** The keys and indices that lead to a value. */
export type Path = readonly (string | number)[];

/** A place at which a stored payload and the one made again differ; undefined is a missing value. */
interface Difference {
  readonly path: Path;
  readonly stored: Json | undefined;
  readonly made: Json | undefined;
}

/** How two payloads are compared. */
export interface Comparison {
  /** True if values may legitimately differ; such differences are kept apart. */
  readonly mayDiffer: (path: Path) => boolean;
  /** True for a list that may hold elements that can't be made again; all others must be in it. */
  readonly isOpen: (path: Path) => boolean;
  /** True for a list whose order means nothing. */
  readonly isUnordered: (path: Path) => boolean;
  /** True for base64 of JSON, which is compared member by member. */
  readonly isEncoded: (path: Path) => boolean;
}

const never = () => false;

/** No difference is allowed. */
export const exact: Comparison = { mayDiffer: never, isOpen: never, isUnordered: never, isEncoded: never };

/** What two values differ in, and the elements of open lists that were not compared. */
export interface Compared {
  readonly differences: readonly Difference[];
  readonly allowed: readonly Difference[];
  readonly notCompared: readonly Path[];
}

const equal: Compared = { differences: [], allowed: [], notCompared: [] };

/** Compares a stored payload with the one made again. */
export function compare(
  stored: Json | undefined,
  made: Json | undefined,
  comparison: Comparison,
  path: Path = [],
): Compared {
  const [one, other] = comparison.isEncoded(path) ? [decoded(stored), decoded(made)] : [stored, made];
  if (isJsonObject(one) && isJsonObject(other)) {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    return together(
      [...keys].map((key) => compare(member(one, key), member(other, key), comparison, [...path, key])),
    );
  }
  if (isJsonList(one) && isJsonList(other)) {
    if (comparison.isOpen(path)) return compareOpen(one, other, comparison, path);
    const [left, right] = comparison.isUnordered(path) ? [sorted(one), sorted(other)] : [one, other];
    const indices = [...Array(Math.max(left.length, right.length)).keys()];
    return together(indices.map((index) => compare(left[index], right[index], comparison, [...path, index])));
  }
  if (one === other) return equal;
  // An open list may be missing if none of its elements can be made again.
  if (other === undefined && isJsonList(one) && comparison.isOpen(path))
    return compareOpen(one, [], comparison, path);
  const found = [{ path, stored: one, made: other }];
  return comparison.mayDiffer(path) ? { ...equal, allowed: found } : { ...equal, differences: found };
}

/** Finds each element of `made` among those of `stored`; what is left of these was not compared. */
function compareOpen(
  stored: readonly Json[],
  made: readonly Json[],
  comparison: Comparison,
  path: Path,
): Compared {
  const left = new Set(stored.keys());
  const found = made.map((element, index): Compared => {
    const [best] = [...left]
      .map((candidate) => ({
        candidate,
        compared: compare(stored[candidate], element, comparison, [...path, candidate]),
      }))
      .filter(({ compared }) => compared.differences.length === 0)
      .toSorted((a, b) => a.compared.allowed.length - b.compared.allowed.length);
    if (best === undefined) {
      const missing = { path: [...path, index], stored: undefined, made: element };
      return { ...equal, differences: [missing] };
    }
    left.delete(best.candidate);
    return best.compared;
  });
  return together([...found, { ...equal, notCompared: [...left].map((index) => [...path, index]) }]);
}

function together(all: readonly Compared[]): Compared {
  return {
    differences: all.flatMap(({ differences }) => differences),
    allowed: all.flatMap(({ allowed }) => allowed),
    notCompared: all.flatMap(({ notCompared }) => notCompared),
  };
}

function sorted(list: readonly Json[]): readonly Json[] {
  return list
    .map((element) => [JSON.stringify(element), element] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, element]) => element);
}

/** The JSON in a base64 text, without user information in URLs; the text itself if it holds no JSON. */
function decoded(text: Json | undefined): Json | undefined {
  if (typeof text !== 'string') return text;
  try {
    const json = parseJson(Buffer.from(text, 'base64').toString('utf8'));
    return isJsonObject(json) || isJsonList(json) ? withoutUserInformation(json, () => {}) : text;
  } catch {
    // Any bytes are allowed here.
    return text;
  }
}

/** `predicate.materials[0].digest.sha1` */
export function pathText(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const isPlain = /^[A-Za-z_][\w-]{0,60}$/.test(step);
      if (isPlain) return index === 0 ? step : `.${step}`;
      return `[${quote(step)}]`;
    })
    .join('');
}

/** The first differences, for the reason of a finding. */
export function differencesText(differences: readonly Difference[]): string {
  const most = 3;
  const texts = differences
    .slice(0, most)
    .map(
      ({ path, stored, made }) => `${pathText(path)} is ${shown(stored)}, but the run says ${shown(made)}`,
    );
  const more = differences.length > most ? `; and ${differences.length - most} more` : '';
  return `${texts.join('; ')}${more}`;
}

function shown(value: Json | undefined): string {
  if (value === undefined) return 'missing';
  return quote(typeof value === 'string' ? value : JSON.stringify(value));
}
