import { readRetryAfter } from '../http/failures.ts';
import { oneLine } from '../text.ts';
import { ChainsError, reasonOf } from '../errors.ts';
import { at, type Json, parseBounded } from '../json.ts';

/** STORE_REFUSED: it fails until something is changed. */
export function refused(message: string, status?: number): ChainsError {
  return new ChainsError('STORE_REFUSED', oneLine(message), status === undefined ? {} : { status });
}

/** STORE_UNAVAILABLE: it may pass by itself. */
export function unavailable(message: string, cause?: unknown): ChainsError {
  const text = cause === undefined ? message : `${message}: ${reasonOf(rootOf(cause))}`;
  return new ChainsError('STORE_UNAVAILABLE', oneLine(text), { cause });
}

/** An answer of a registry that is not what was asked for. */
export interface Refusal {
  readonly status: number;
  readonly body: Uint8Array;
  readonly retryAfter: string | undefined;
}

/** The error for an answer: PAYLOAD_TOO_LARGE for 413, STORE_UNAVAILABLE for 408, 429 and 5xx, else STORE_REFUSED. */
export function failedAnswer(what: string, { status, body, retryAfter }: Refusal): ChainsError {
  const message = oneLine(`${what}: the registry answered ${status}${reasonIn(body)}`);
  if (status === 413) return new ChainsError('PAYLOAD_TOO_LARGE', message, { status });
  if (status !== 408 && status !== 429 && status < 500) return refused(message, status);
  const wait = readRetryAfter(retryAfter, Date.now());
  return new ChainsError('STORE_UNAVAILABLE', message, {
    status,
    ...(wait === undefined ? {} : { retryAfter: wait }),
  });
}

/** The registry's own words (distribution specification, "Error codes"). */
function reasonIn(body: Uint8Array): string {
  let json: Json;
  try {
    json = parseBounded(Buffer.from(body).toString('utf8'));
  } catch {
    // What is not JSON is some proxy's page.
    return '';
  }
  const errors = at(json, 'errors');
  const texts = (Array.isArray(errors) ? errors : []).map((error) =>
    [at(error, 'code'), at(error, 'message')].filter((part) => typeof part === 'string').join(' '),
  );
  return texts.length === 0 ? '' : ` (${texts.join('; ').slice(0, 300).toWellFormed()})`;
}

/** undici wraps what happened, sometimes twice, in words that say nothing. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}
