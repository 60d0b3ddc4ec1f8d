import { ChainsError } from '../model/errors.ts';
import { isJsonObject, type Json, type JsonObject, member } from '../model/json.ts';

/** A field of a run, and where it stands: `status.results[0]`. */
export interface Field<T = Json | undefined> {
  readonly at: string;
  readonly value: T;
}

/** The member `key` of an object; undefined when it is absent or null (payloads.md, 1.1). */
export function field(parent: Field<JsonObject | undefined>, key: string): Field {
  const where = parent.at === '' ? key : `${parent.at}.${key}`;
  return { at: where, value: member(parent.value, key) ?? undefined };
}

/** The member `key` as an object. @throws ChainsError RUN_UNREADABLE when it is something else. */
export function objectField(
  parent: Field<JsonObject | undefined>,
  key: string,
): Field<JsonObject | undefined> {
  return asObject(field(parent, key));
}

/** The entries of the list `key`, none when it is absent. @throws ChainsError RUN_UNREADABLE when it is no list of objects. */
export function objectsField(
  parent: Field<JsonObject | undefined>,
  key: string,
): readonly Field<JsonObject | undefined>[] {
  const { at, value } = field(parent, key);
  if (value === undefined) return [];
  if (!isList(value)) throw unreadable(at, 'is no list');
  return value.map((entry, index) => asObject({ at: `${at}[${index}]`, value: entry ?? undefined }));
}

/** The member `key` as a text, empty when it is absent. @throws ChainsError RUN_UNREADABLE when it is no string. */
export function textField(parent: Field<JsonObject | undefined>, key: string): string {
  const { at, value } = field(parent, key);
  if (value === undefined) return '';
  if (typeof value !== 'string') throw unreadable(at, 'is no string');
  return value;
}

/** RUN_UNREADABLE for the field `at`. */
export function unreadable(at: string, message: string, cause?: unknown): ChainsError {
  return new ChainsError('RUN_UNREADABLE', `${at} ${message}, so that nothing can be read from the run`, {
    cause,
  });
}

function asObject({ at, value }: Field): Field<JsonObject | undefined> {
  if (value === undefined || isJsonObject(value)) return { at, value };
  throw unreadable(at, 'is no object');
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
