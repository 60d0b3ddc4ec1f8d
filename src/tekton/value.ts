import { isJsonList, isJsonObject, type Json, textIn } from '../json.ts';
import { byUtf8, wireJson } from './go-json.ts';
import { int32, unreadable, type Shape } from './shape.ts';

/** The value of a param or result (payloads.md, 1.2). */
export type Value =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly texts: readonly string[] }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, string> };

const empty: Value = { kind: 'text', text: '' };

/**
 * A value. Anything but a string, or a list or object of strings, is read as the text of its JSON, and null as the empty
 * text. A missing value can be read, but not written.
 */
export const value: Shape<Value> = {
  decode: (json) => {
    if (typeof json === 'string' || json === null) return { kind: 'text', text: json ?? '' };
    if (isJsonList(json) && json.every(isTextOrNull))
      return { kind: 'list', texts: json.map((one) => one ?? '') };
    if (isJsonObject(json) && Object.values(json).every(isTextOrNull))
      return { kind: 'object', members: new Map(Object.keys(json).map((key) => [key, textIn(json[key])])) };
    return jsonText(json);
  },
  ofNull: empty,
  zero: empty,
  encode: (given) => {
    if (given === undefined) throw unreadable('has no value');
    if (given.kind === 'text') return given.text;
    if (given.kind === 'list') return given.texts;
    return Object.fromEntries([...given.members].toSorted(([a], [b]) => byUtf8(a, b)));
  },
};

/** The text of a value; empty for a list, an object or no value. */
export function textOf(given: Value | undefined): string {
  return given?.kind === 'text' ? given.text : '';
}

function isTextOrNull(json: Json | undefined): json is string | null {
  return json === null || typeof json === 'string';
}

function jsonText(json: Json): Value {
  try {
    return { kind: 'text', text: wireJson(json) };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw unreadable('nests too deeply');
  }
}

/** JSON that is written as it was read; null where there is none. */
export const rawJson: Shape<Json> = {
  decode: (json) => json,
  zero: null,
  encode: (value = null) => value,
};

/** A number or a name, such as a port. */
export const numberOrName: Shape<number | string> = {
  decode: (json) => {
    if (typeof json === 'string') return json;
    if (typeof json === 'number') return int32.decode(json);
    throw unreadable('is neither a whole number nor a string');
  },
  zero: 0,
  encode: (value = 0) => value,
};
