import { readRetryAfter } from '../http/failures.ts';
import { oneLine } from '../text.ts';
import { ChainsError, reasonOf } from '../errors.ts';
import { at, type Json, listAt } from '../json.ts';

/** STORE_REFUSED: it fails until something is changed. */
export function refused(message: string, status?: number): ChainsError {
  return new ChainsError('STORE_REFUSED', oneLine(message), status === undefined ? {} : { status });
}

/** STORE_UNAVAILABLE: trying again may help. */
export function unavailable(message: string, cause?: unknown): ChainsError {
  const text = cause === undefined ? message : `${message}: ${reasonOf(rootOf(cause))}`;
  return new ChainsError('STORE_UNAVAILABLE', oneLine(text), { cause });
}

/** An answer of a registry that is not what was asked for. */
export interface Refusal {
  readonly status: number;
  readonly json: Json | undefined;
  readonly header: (name: string) => readonly string[];
}

/** The error for an answer: PAYLOAD_TOO_LARGE for 413, STORE_UNAVAILABLE for 408, 429 and 5xx, else STORE_REFUSED. */
export function failedAnswer(what: string, { status, json, header }: Refusal): ChainsError {
  const message = oneLine(`${what}: the registry answered ${status}${reasonIn(json)}`);
  if (status === 413) return new ChainsError('PAYLOAD_TOO_LARGE', message, { status });
  if (status !== 408 && status !== 429 && status < 500) return refused(message, status);
  const retryAfter = readRetryAfter(header('retry-after')[0], Date.now());
  return new ChainsError('STORE_UNAVAILABLE', message, {
    status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** The registry's own words (distribution specification, "Error codes"). */
function reasonIn(json: Json | undefined): string {
  const texts = listAt(json, 'errors').map((error) =>
    [at(error, 'code'), at(error, 'message')].filter((part) => typeof part === 'string').join(' '),
  );
  return texts.length === 0 ? '' : ` (${texts.join('; ').slice(0, 300).toWellFormed()})`;
}

/** undici wraps the error that says what happened, sometimes twice. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}
