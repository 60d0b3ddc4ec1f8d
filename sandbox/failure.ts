import type { Json, JsonObject } from '../src/json.ts';
import { type Kind, qualified } from './kinds.ts';

/** One field that is wrong, as in a Status' `details.causes`. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** A request that the API refuses: what becomes the HTTP status and the `Status` object of the answer. */
export class Failure extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject | undefined;
  readonly metadata: JsonObject;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: JsonObject,
    metadata: JsonObject = {},
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.metadata = metadata;
  }

  /** The `Status` object. */
  status(): JsonObject {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.metadata,
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

function about(kind: Kind, name: string): { readonly [key: string]: Json } {
  return {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
  };
}

/** 400. */
export function badRequest(message: string): Failure {
  return new Failure(400, 'BadRequest', message);
}

/** 404 for an object, or for the address when no kind is given. */
export function notFound(kind?: Kind, name = ''): Failure {
  return kind === undefined
    ? new Failure(404, 'NotFound', 'the server could not find the requested resource', {})
    : new Failure(404, 'NotFound', `${qualified(kind)} "${name}" not found`, about(kind, name));
}

/** 409: the object is not what the request took it for. */
export function conflict(kind: Kind, name: string, why: string): Failure {
  const message = `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`;
  return new Failure(409, 'Conflict', message, about(kind, name));
}

/** 409: a write that was made for an older version of the object. */
export function outdated(kind: Kind, name: string): Failure {
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  return conflict(kind, name, why);
}

/** 409 on create. */
export function alreadyExists(kind: Kind, name: string): Failure {
  return new Failure(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, about(kind, name));
}

/** 422 naming each wrong field. */
export function invalid(kind: Kind, name: string, causes: readonly Cause[]): Failure {
  const title = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const list = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const message = `${title} "${name}" is invalid: ${list.length === 1 ? list[0] : `[${list.join(', ')}]`}`;
  const details = { ...about(kind, name), kind: kind.kind, causes: causes.map((cause) => ({ ...cause })) };
  return new Failure(422, 'Invalid', message, details);
}

/** A {@link Cause} for a value that is not allowed. */
export function wrongValue(field: string, value: Json | undefined, why: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field };
}

/** 410: history that far back is gone. */
export function expired(message: string, metadata?: JsonObject): Failure {
  return new Failure(410, 'Expired', message, undefined, metadata);
}
