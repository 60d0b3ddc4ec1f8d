/** A JSON value as `JSON.parse` returns it. */
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
  // The only place that gives the result of JSON.parse its type.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(text) as Json;
}

/** Limits of JSON from outside. */
export interface JsonBounds {
  /** How deep lists and objects may nest: recursion ends after some thousand levels. */
  readonly deepest: number;
  readonly mostValues: number;
}

/** Limits of JSON from a server that may be run by anyone. */
const ofServers: JsonBounds = { deepest: 200, mostValues: 100_000 };

/**
 * Parses JSON text from outside within limits, since one value takes many times the memory of its text.
 * @throws SyntaxError, also beyond the limits
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

/** An object's own member; never an inherited one such as `constructor`. */
export function member(value: unknown, key: string): Json | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The value at a path of keys through nested objects; undefined where a member is missing. */
export function at(value: unknown, ...path: readonly string[]): Json | undefined {
  let here: unknown = value;
  for (const key of path) here = member(here, key);
  // A member of a JSON value is a JSON value.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return here as Json | undefined;
}

/** A text unchanged; empty for anything else. `String` is not safe here: it calls an object's own `toString`. */
export function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** An object unchanged; empty for anything else. */
export function objectIn(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The list at a path of keys; empty where there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly Json[] {
  const list = at(value, ...path);
  return isJsonList(list) ? list : [];
}
