import { oneLine, readRetryAfter } from '../model/answers.ts';
import { ChainsError, reasonOf } from '../model/errors.ts';

/** Statuses beside 5xx after which the same call may go well: a time-out, somebody else’s write, too many calls. */
const passing: ReadonlySet<number> = new Set([408, 409, 412, 425, 429]);

/** What helps where a status alone doesn’t say it. */
export interface RefusalDetails {
  /** The header `Retry-After`. */
  readonly retryAfter?: unknown;
  readonly hint?: string | undefined;
}

/**
 * The error for a status other than 2xx: STORE_UNAVAILABLE where it may pass by itself, otherwise STORE_REFUSED.
 * @param what the call and the place, e.g. `write gs://bucket/object`
 * @param reason the store’s own words
 */
export function refusal(
  what: string,
  status: number,
  reason: string,
  { retryAfter, hint }: RefusalDetails = {},
): ChainsError {
  const code = status >= 500 || passing.has(status) ? 'STORE_UNAVAILABLE' : 'STORE_REFUSED';
  const pause = readRetryAfter(retryAfter, Date.now());
  return new ChainsError(code, oneLine(`${what}: ${status} ${reason || '(no reason given)'}`), {
    status,
    ...(pause === undefined ? {} : { retryAfter: pause }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** STORE_REFUSED where no store answered: what is wrong and what to do. */
export function unusable(message: string): ChainsError {
  return new ChainsError('STORE_REFUSED', oneLine(message));
}

/** STORE_UNAVAILABLE for a call that got no answer, or none that can be used. ChainsErrors stay what they are. */
export function unanswered(what: string, error: unknown): ChainsError {
  if (error instanceof ChainsError) return error;
  return new ChainsError('STORE_UNAVAILABLE', oneLine(`${what}: no answer: ${reasonOf(error)}`), {
    cause: error,
  });
}

/** PAYLOAD_TOO_LARGE: nothing of this size fits in, today or later. Sizes in bytes. */
export function tooLarge(what: string, size: number | undefined, limit: number): ChainsError {
  const how = size === undefined ? 'it is larger than' : `its ${size} bytes are more than`;
  return new ChainsError(
    'PAYLOAD_TOO_LARGE',
    `${what}: ${how} the ${limit} bytes that a document may have there, and it holds the payload twice; choose another ` +
      'store for the artifact, such as gcs',
  );
}
