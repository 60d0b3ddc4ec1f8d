/** A JSON value as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. Read members of objects that came from outside with {@link member}. */
export type JsonObject = { readonly [key: string]: Json | undefined };

/** True for a JSON object: not null, not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a JSON list. */
export function isJsonList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Parses JSON text. @throws SyntaxError */
export function parseJson(text: string): Json {
  // The one place where what JSON.parse gives gets its type.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(text) as Json;
}

/** What JSON from outside may be. */
export interface JsonBounds {
  /** Lists and objects within each other. What is more than some thousand deep can't be walked through by recursion. */
  readonly deepest: number;
  readonly mostValues: number;
}

/** Bounds of JSON from a server that anyone may run. */
const ofServers: JsonBounds = { deepest: 200, mostValues: 100_000 };

/**
 * Parses JSON text from outside, of which neither the depth nor the number of values is known to be reasonable.
 * @throws SyntaxError, also beyond the bounds: one value takes many times the memory of its text
 */
export function parseBounded(text: string, { deepest, mostValues }: JsonBounds = ofServers): Json {
  let [depth, values, isText] = [0, 0, false];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isText) {
      if (code === 0x5c) index += 1;
      else if (code === 0x22) isText = false;
    } else if (code === 0x22) isText = true;
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      values += 1;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
    else if (code === 0x2c) values += 1;
    if (depth > deepest) throw new SyntaxError(`the JSON is nested more than ${deepest} deep`);
    if (values > mostValues) throw new SyntaxError(`the JSON holds more than ${mostValues} values`);
  }
  return parseJson(text);
}

/** An object's own member, so that a key such as `constructor` never finds what every object inherits. */
export function member(value: unknown, key: string): Json | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The value that a path of keys leads to through nested objects, or undefined where a step is missing. */
export function at(value: unknown, ...path: readonly string[]): Json | undefined {
  let here: unknown = value;
  for (const key of path) here = member(here, key);
  // What is found in a JSON value is one.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return here as Json | undefined;
}

/** A text as it is; empty for anything else, since `String` calls what an object from outside has as its `toString`. */
export function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** An object as it is; empty for anything else. */
export function objectIn(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The list that a path of keys leads to; empty where there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly Json[] {
  const list = at(value, ...path);
  return isJsonList(list) ? list : [];
}
