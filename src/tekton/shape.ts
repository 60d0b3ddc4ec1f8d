import { ChainsError } from '../errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../json.ts';
import { byUtf8 } from './go-json.ts';

/**
 * How Go reads and writes a value of one type. Reading gives only what is known of an object; writing gives what Go's
 * encoder would (payloads.md, 1.1 and 1.3).
 */
export interface Shape<T> {
  /** Reads a value that is there. @throws ChainsError RUN_UNREADABLE, whose message begins with the field's path. */
  decode(json: Json): T;
  /** What null gives as an object's member; undefined: null is like absent. */
  readonly ofNull?: T;
  /** What null gives as an entry of a list or map. */
  readonly zero: T;
  /** The value as Go writes it; undefined is what was absent. @throws ChainsError RUN_UNREADABLE for what can't be written. */
  encode(value: T | undefined): Json;
  /** Whether `omitempty` leaves the value out. */
  isEmpty(value: T | undefined): boolean;
}

/** The type of what a shape reads. */
export type Of<S> = S extends Shape<infer T> ? T : never;

/** RUN_UNREADABLE for a value whose path the caller adds. */
export function misfit(message: string): ChainsError {
  return new ChainsError('RUN_UNREADABLE', message);
}

/** Does a part of reading or writing; an error of it gets this step before its path. */
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

/** A string. */
export const text: Shape<string> = {
  decode: (json) => {
    if (typeof json === 'string') return json;
    throw misfit('is not a string');
  },
  zero: '',
  encode: (value = '') => value,
  isEmpty: (value = '') => value === '',
};

/** A boolean. */
export const flag: Shape<boolean> = {
  decode: (json) => {
    if (typeof json === 'boolean') return json;
    throw misfit('is not a boolean');
  },
  zero: false,
  encode: (value = false) => value,
  isEmpty: (value = false) => !value,
};

function integer(least: number, greatest: number): Shape<number> {
  return {
    decode: (json) => {
      if (Number.isInteger(json) && Number(json) >= least && Number(json) <= greatest) return Number(json);
      throw misfit(`is not a whole number from ${least} to ${greatest}`);
    },
    zero: 0,
    encode: (value = 0) => value,
    isEmpty: (value = 0) => value === 0,
  };
}

/** Go's int32. */
export const int32: Shape<number> = integer(-(2 ** 31), 2 ** 31 - 1);

/** Go's int64 and int, as far as JavaScript's numbers go. */
export const int64: Shape<number> = integer(-(2 ** 63), 2 ** 63);

/** A list; absent, empty and filled are kept apart until it is written with `omitempty`. */
export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    decode: (json) => {
      if (!isJsonList(json)) throw misfit('is not a list');
      return json.map((entry, index) =>
        atStep(`[${index}]`, () => (entry === null ? item.zero : item.decode(entry))),
      );
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
      if (!isJsonObject(json)) throw misfit('is not an object');
      return new Map(
        Object.entries(json).map(([key, entry = null]) => [
          key,
          atStep(`.${key}`, () => (entry === null ? item.zero : item.decode(entry))),
        ]),
      );
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

/** A pointer: what is set is always written, even where it is empty. */
export function pointer<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    decode: (json) => shape.decode(json),
    zero: undefined,
    encode: (value) => (value === undefined ? null : shape.encode(value)),
    isEmpty: (value) => value === undefined,
  };
}

/** A field that is written even when it is empty: one without `omitempty`. */
export interface Always<T> {
  readonly always: Shape<T>;
}

/** Marks a field as one without `omitempty`; all others have it. */
export function always<T>(shape: Shape<T>): Always<T> {
  return { always: shape };
}

type Fields = { readonly [name: string]: Shape<unknown> | Always<unknown> };

type FieldOf<F> = F extends Always<infer T> ? T : Of<F>;

/** What a structure reads: its fields as far as they are there. */
export type Struct<F> = { readonly [K in keyof F]?: FieldOf<F[K]> };

/** A structure: its fields in the order in which Go writes them. Unknown members are dropped; it is never empty. */
export function struct<F extends Fields>(fields: F): Shape<Struct<F>> {
  const known = Object.entries(fields).map(([name, field]) =>
    'always' in field ? { name, shape: field.always, always: true } : { name, shape: field, always: false },
  );
  return {
    decode: (json) => {
      if (!isJsonObject(json)) throw misfit('is not an object');
      const found: Record<string, unknown> = {};
      for (const { name, shape } of known) {
        const value = Object.hasOwn(json, name) ? json[name] : undefined;
        const read =
          value === null
            ? shape.ofNull
            : value === undefined
              ? undefined
              : atStep(`.${name}`, () => shape.decode(value));
        if (read !== undefined) found[name] = read;
      }
      // Each member was read by the shape of its own field.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return found as Struct<F>;
    },
    zero: {},
    encode: (value) => {
      const members: Readonly<Record<string, unknown>> = value ?? {};
      const written: Record<string, Json> = {};
      for (const { name, shape, always: isAlways } of known) {
        const member = members[name];
        if (isAlways || !shape.isEmpty(member))
          written[name] = atStep(`.${name}`, () => shape.encode(member));
      }
      return written;
    },
    isEmpty: () => false,
  };
}

/** A structure that holds itself, by way of others. It is read and written whole, so its fields have no type. */
export function nested(shape: () => Shape<object>): Shape<object> {
  return {
    decode: (json) => shape().decode(json),
    zero: {},
    encode: (value) => shape().encode(value),
    isEmpty: () => false,
  };
}

/** Reads an object of this shape. @param where its path, empty for a whole object. @throws ChainsError RUN_UNREADABLE that names the field. */
export function read<T>(shape: Shape<T>, json: JsonObject, where = ''): T {
  return atStep(where.replace(/\.$/, ''), () => shape.decode(json));
}

/** Writes a value of this shape as Go does. @throws ChainsError RUN_UNREADABLE that names the field. */
export function written<T>(shape: Shape<T>, value: T | undefined, where = ''): Json {
  return atStep(where, () => shape.encode(value));
}
