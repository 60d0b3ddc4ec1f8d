import { isJsonList, isJsonObject, type Json, type JsonObject } from '../json.ts';

/** Compares two texts by their UTF-8 bytes, as Go sorts the keys of a map: U+FF5E comes before U+1F600. */
export function byUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return inUtf8(left) - inUtf8(right);
  }
  return a.length - b.length;
}

/** A UTF-16 unit's place in the order of UTF-8: surrogates come after all others. */
function inUtf8(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The JSON text that Go's encoder writes (payloads.md, 1.4): compact, with `<`, `>`, `&`, U+2028 and U+2029 escaped. */
export function goJson(value: Json): string {
  return jsonText(value, (scalar) => JSON.stringify(scalar).replace(/[<>&\u2028\u2029]/g, escape));
}

/** The JSON text as an API server sends it: compact, without Go's escapes. */
export function wireJson(value: Json): string {
  return jsonText(value, (scalar) => JSON.stringify(scalar));
}

function jsonText(value: Json, scalar: (value: string | number | boolean | null) => string): string {
  if (isJsonList(value)) return `[${value.map((entry) => jsonText(entry, scalar)).join(',')}]`;
  if (!isJsonObject(value)) return scalar(value);
  const members = keysInOrder(value).map((key) => `${scalar(key)}:${jsonText(value[key] ?? null, scalar)}`);
  return `{${members.join(',')}}`;
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const wholeNumber = /^(0|[1-9]\d*)$/;

/**
 * The keys in their original order. JavaScript puts whole numbers first; where the other keys are sorted, as in a map and in
 * what an API server sends, all keys were.
 */
function keysInOrder(object: JsonObject): readonly string[] {
  const keys = Object.keys(object);
  if (!wholeNumber.test(keys[0] ?? '')) return keys;
  const others = keys.filter((key) => !wholeNumber.test(key));
  const sorted = others.every((key, index) => index === 0 || byUtf8(others[index - 1] ?? '', key) < 0);
  return sorted ? keys.toSorted(byUtf8) : keys;
}
