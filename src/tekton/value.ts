import { isJsonList, isJsonObject, type Json } from '../json.ts';
import { byUtf8, wireJson } from './go-json.ts';
import { int32, misfit, type Shape } from './shape.ts';

/** The value of a param or result (payloads.md, 1.2). */
export type Value =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly texts: readonly string[] }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, string> };

const empty: Value = { kind: 'text', text: '' };

/**
 * A value; what is neither a string nor a list or object of strings becomes the text of its JSON, null the empty text.
 * One that is missing can be read, but not written.
 */
export const value: Shape<Value> = {
  decode: (json) => {
    if (json === null) return empty;
    if (typeof json === 'string') return { kind: 'text', text: json };
    if (isJsonList(json)) {
      const texts = allTexts(json);
      return texts === undefined ? jsonText(json) : { kind: 'list', texts };
    }
    if (!isJsonObject(json)) return jsonText(json);
    const texts = allTexts(Object.values(json));
    if (texts === undefined) return jsonText(json);
    return {
      kind: 'object',
      members: new Map(Object.keys(json).map((key, index) => [key, texts[index] ?? ''])),
    };
  },
  ofNull: empty,
  zero: empty,
  encode: (given) => {
    if (given === undefined) throw misfit('has no value');
    if (given.kind === 'text') return given.text;
    if (given.kind === 'list') return given.texts;
    return Object.fromEntries([...given.members].toSorted(([a], [b]) => byUtf8(a, b)));
  },
  isEmpty: () => false,
};

/** The string of a value: empty for a list, an object and no value. */
export function textOf(given: Value | undefined): string {
  return given?.kind === 'text' ? given.text : '';
}

function allTexts(values: readonly unknown[]): readonly string[] | undefined {
  const texts: string[] = [];
  for (const one of values) {
    if (one !== null && typeof one !== 'string') return undefined;
    texts.push(one ?? '');
  }
  return texts;
}

function jsonText(json: Json): Value {
  try {
    return { kind: 'text', text: wireJson(json) };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw misfit('nests too deeply');
  }
}

/** JSON that is written as it came; null where there is none. */
export const rawJson: Shape<Json> = {
  decode: (json) => json,
  zero: null,
  encode: (value = null) => value,
  // By value: Go's omitempty never leaves out a structure.
  isEmpty: () => false,
};

/** A number or a name, such as a port. */
export const numberOrName: Shape<number | string> = {
  decode: (json) => {
    if (typeof json === 'string') return json;
    if (typeof json === 'number') return int32.decode(json);
    throw misfit('is neither a whole number nor a string');
  },
  zero: 0,
  encode: (value = 0) => value,
  isEmpty: () => false,
};
