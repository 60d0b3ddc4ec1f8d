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

/** UTF-16 units in the order of UTF-8: halves of code points beyond U+FFFF come after all others. */
function inUtf8(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/**
 * The JSON text that Go's encoder writes (payloads.md, 1.4): compact, with `<`, `>`, `&`, U+2028 and U+2029 escaped. The
 * keys of an object are written in their order.
 */
export function goJson(value: Json): string {
  if (isJsonList(value)) return `[${value.map(goJson).join(',')}]`;
  if (!isJsonObject(value)) return goScalar(value);
  const members = keysInOrder(value).map((key) => `${goScalar(key)}:${goJson(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}

function goScalar(value: string | number | boolean | null): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escape);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** JavaScript puts keys that look like numbers first, whatever their order was; only maps have such keys, and they are sorted. */
function keysInOrder(object: JsonObject): readonly string[] {
  const keys = Object.keys(object);
  return /^\d/.test(keys[0] ?? '') ? keys.toSorted(byUtf8) : keys;
}
