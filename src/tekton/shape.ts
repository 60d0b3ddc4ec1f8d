import { ChainsError } from '../errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject, member } from '../json.ts';
import { byUtf8 } from './go-json.ts';

/**
 * How Go reads and writes a value of one type. Reading drops unknown fields; writing gives what Go's encoder would
 * (payloads.md, 1.1 and 1.3).
 */
export interface Shape<T> {
  /** Reads a value that is there. @throws ChainsError RUN_UNREADABLE, whose message begins with the field's path. */
  decode(json: Json): T;
  /** What null is read as in a field; without it, as if the field were absent. */
  readonly ofNull?: T;
  /** What null is read as in a list or map. */
  readonly zero: T;
  /** The value as Go writes it; undefined if it was absent. @throws ChainsError RUN_UNREADABLE for what can't be written. */
  encode(value: T | undefined): Json;
  /** Whether `omitempty` leaves the value out; missing where it never does, as with Go's structures. */
  isEmpty?(value: T | undefined): boolean;
}

/** The type that a shape reads. */
export type Of<S> = S extends Shape<infer T> ? T : never;

/** RUN_UNREADABLE without the value's path, which {@link read} and {@link written} add. */
export function unreadable(message: string): ChainsError {
  return new ChainsError('RUN_UNREADABLE', message);
}

/** Reads or writes one part of a value, and puts this step in front of the path in its error. */
function atStep<T>(step: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ChainsError) || error.code !== 'RUN_UNREADABLE') throw error;
    const { message, cause } = error;
    const path = /^[.[]/.test(message) ? `${step}${message}` : `${step} ${message}`;
    throw new ChainsError('RUN_UNREADABLE', step === '' ? message.replace(/^\./, '') : path, { cause });
  }
}

/** A value that Go leaves out when it is zero, and that is written as it was read. */
function scalar<T extends string | number | boolean>(zero: T, decode: (json: Json) => T): Shape<T> {
  return { decode, zero, encode: (value = zero) => value, isEmpty: (value = zero) => value === zero };
}

/** A string. */
export const text = scalar<string>('', (json) => {
  if (typeof json === 'string') return json;
  throw unreadable('is not a string');
});

/** A boolean. */
export const flag = scalar<boolean>(false, (json) => {
  if (typeof json === 'boolean') return json;
  throw unreadable('is not a boolean');
});

function integer(least: number, greatest: number): Shape<number> {
  return scalar<number>(0, (json) => {
    if (typeof json === 'number' && Number.isInteger(json) && json >= least && json <= greatest) return json;
    throw unreadable(`is not a whole number from ${least} to ${greatest}`);
  });
}

/** Go's int32. */
export const int32: Shape<number> = integer(-(2 ** 31), 2 ** 31 - 1);

/** Go's int64 and int, with the precision of JavaScript's numbers. */
export const int64: Shape<number> = integer(-(2 ** 63), 2 ** 63);

function decodeEntry<T>(item: Shape<T>, step: string, entry: Json): T {
  return atStep(step, () => (entry === null ? item.zero : item.decode(entry)));
}

/** A list; without `omitempty`, an absent one is written as null and an empty one as `[]`. */
export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    decode: (json) => {
      if (!isJsonList(json)) throw unreadable('is not a list');
      return json.map((entry, index) => decodeEntry(item, `[${index}]`, entry));
    },
    zero: [],
    encode: (value) => value?.map((entry, index) => atStep(`[${index}]`, () => item.encode(entry))) ?? null,
    isEmpty: (value = []) => value.length === 0,
  };
}

/** An object whose keys are data; written with its keys sorted by UTF-8 bytes. */
export function map<T>(item: Shape<T>): Shape<ReadonlyMap<string, T>> {
  return {
    decode: (json) => {
      if (!isJsonObject(json)) throw unreadable('is not an object');
      const entries = Object.entries(json);
      return new Map(entries.map(([key, entry = null]) => [key, decodeEntry(item, `.${key}`, entry)]));
    },
    zero: new Map(),
    encode: (value) => {
      if (value === undefined) return null;
      const sorted = [...value].toSorted(([a], [b]) => byUtf8(a, b));
      return Object.fromEntries(
        sorted.map(([key, entry]) => [key, atStep(`.${key}`, () => item.encode(entry))]),
      );
    },
    isEmpty: (value) => value === undefined || value.size === 0,
  };
}

/** A pointer: a value that is there is always written, even an empty one. */
export function pointer<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    decode: (json) => shape.decode(json),
    zero: undefined,
    encode: (value) => (value === undefined ? null : shape.encode(value)),
    isEmpty: (value) => value === undefined,
  };
}

/** Marks a field without `omitempty`, which is written even when it is empty; all other fields have it. */
export function always<T>(shape: Shape<T>): Shape<T> {
  return { ...shape, isEmpty: () => false };
}

type Fields = { readonly [name: string]: Shape<unknown> };

/** What a structure is read as: the fields that are there. */
export type Struct<F> = { readonly [K in keyof F]?: Of<F[K]> };

/** A structure: its fields in the order in which Go writes them. Unknown fields are dropped. */
export function struct<F extends Fields>(fields: F): Shape<Struct<F>> {
  const known = Object.entries(fields);
  return {
    decode: (json) => {
      if (!isJsonObject(json)) throw unreadable('is not an object');
      const found: Record<string, unknown> = {};
      for (const [name, shape] of known) {
        const value = member(json, name);
        if (value === undefined) continue;
        const read = value === null ? shape.ofNull : atStep(`.${name}`, () => shape.decode(value));
        if (read !== undefined) found[name] = read;
      }
      // Each member was read by the shape of its own field.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return found as Struct<F>;
    },
    zero: {},
    encode: (value) => {
      const members: Readonly<Record<string, unknown>> = value ?? {};
      return Object.fromEntries(
        known
          .filter(([name, shape]) => shape.isEmpty?.(members[name]) !== true)
          .map(([name, shape]) => [name, atStep(`.${name}`, () => shape.encode(members[name]))]),
      );
    },
  };
}

/** A structure that contains itself. Its fields have no types, since nothing here looks at them. */
export function nested(shape: () => Shape<object>): Shape<object> {
  return {
    decode: (json) => shape().decode(json),
    zero: {},
    encode: (value) => shape().encode(value),
  };
}

/** A pointer to a structure with these fields. */
export function pointerTo<F extends Fields>(fields: F): Shape<Struct<F> | undefined> {
  return pointer(struct(fields));
}

/** Reads an object of this shape. @param where its path, empty for a whole object. @throws ChainsError RUN_UNREADABLE that names the field. */
export function read<T>(shape: Shape<T>, json: JsonObject, where = ''): T {
  return atStep(where.replace(/\.$/, ''), () => shape.decode(json));
}

/** Writes a value of this shape as Go does. @throws ChainsError RUN_UNREADABLE that names the field. */
export function written<T>(shape: Shape<T>, value: T | undefined, where = ''): Json {
  return atStep(where, () => shape.encode(value));
}
