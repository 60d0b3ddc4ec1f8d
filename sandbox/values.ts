import { at, isJsonObject, type Json, type JsonObject } from '../src/json.ts';

/** True for a JSON list. */
export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value if it is a list, else an empty one. */
export function listOf(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}

/** The value if it is an object, else an empty one. */
export function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** An object's own metadata. */
export function metadataOf(content: JsonObject): JsonObject {
  return objectOf(content['metadata']);
}

/** The object without the members that are undefined. */
export function present(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** Reads JSON. @throws SyntaxError */
export function parseJson(text: string): Json {
  return at(JSON.parse(text)) ?? null;
}

/** The time as Kubernetes writes it: RFC 3339 in UTC, whole seconds. */
export function timestamp(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
