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

/** The list that a path of keys leads to; empty where there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly Json[] {
  const list = at(value, ...path);
  return isJsonList(list) ? list : [];
}
