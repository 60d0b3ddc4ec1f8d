import { at, type Json, type JsonObject } from '../src/json.ts';

/** A column of the table that `kubectl get` prints. */
export interface Column {
  readonly name: string;
  readonly type?: string;
  readonly format?: string;
  cell(object: JsonObject, now: Date): Json;
}

/** A column with the text at a path. */
export function textColumn(name: string, ...path: readonly string[]): Column {
  return { name, cell: (object) => at(object, ...path) ?? '' };
}

/** A column with how long ago the time at a path was. */
export function dateColumn(name: string, ...path: readonly string[]): Column {
  return { name, type: 'date', cell: (object, now) => age(at(object, ...path), now) };
}

/** The object's name. */
export const nameColumn: Column = { ...textColumn('Name', 'metadata', 'name'), format: 'name' };

/** The object's age, such as `105s`. */
export const ageColumn: Column = dateColumn('Age', 'metadata', 'creationTimestamp');

// Up to how many seconds a form is used, the unit it counts, and the smaller unit that it adds.
const forms: readonly (readonly [limit: number, unit: 's' | 'm' | 'h' | 'd', rest?: 's' | 'm' | 'h'])[] = [
  [120, 's'],
  [600, 'm', 's'],
  [3 * 3600, 'm'],
  [8 * 3600, 'h', 'm'],
  [48 * 3600, 'h'],
  [8 * 86400, 'd', 'h'],
  [Number.POSITIVE_INFINITY, 'd'],
];
const seconds = { s: 1, m: 60, h: 3600, d: 86400 };

/** How long ago an RFC 3339 time was, as kubectl writes it: `105s`, `3m12s`; null where there is no time. */
function age(time: Json | undefined, now: Date): string | null {
  const then = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(then)) return null;
  const passed = Math.max(0, Math.floor((now.getTime() - then) / 1000));
  const [, unit, rest] = forms.find(([limit]) => passed < limit) ?? [0, 'd'];
  const left = rest === undefined ? 0 : Math.floor((passed % seconds[unit]) / seconds[rest ?? 's']);
  return `${Math.floor(passed / seconds[unit])}${unit}${left === 0 ? '' : `${left}${rest}`}`;
}
