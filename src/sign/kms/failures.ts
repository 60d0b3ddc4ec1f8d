import { ChainsError, reasonOf } from '../../model/errors.ts';
import { oneLine, readRetryAfter } from '../../model/answers.ts';

/** Statuses beside 5xx after which the same call may go well: time-outs, Vault’s state that is behind, too many calls, standby nodes. */
const passing: ReadonlySet<number> = new Set([408, 412, 425, 429, 472, 473]);

/**
 * The error for a status other than 2xx: KMS_UNAVAILABLE where it may pass by itself, otherwise KMS_REFUSED.
 * @param what the call and the key, e.g. `sign with hashivault://chains`
 * @param reason the service’s own words
 */
export function refusal(
  what: string,
  status: number,
  reason: string,
  { retryAfter, hint }: { readonly retryAfter?: unknown; readonly hint?: string | undefined } = {},
): ChainsError {
  const code = status >= 500 || passing.has(status) ? 'KMS_UNAVAILABLE' : 'KMS_REFUSED';
  const unexplained = status === 404 ? 'there is no such thing' : '(no reason given)';
  const pause = readRetryAfter(retryAfter, Date.now());
  return new ChainsError(code, oneLine(`${what}: ${status} ${reason || unexplained}`), {
    status,
    ...(pause === undefined ? {} : { retryAfter: pause }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** KMS_REFUSED: what is wrong and what to do, where no service answered. */
export function unusable(message: string): ChainsError {
  return new ChainsError('KMS_REFUSED', oneLine(message));
}

/**
 * The error KMS_UNAVAILABLE for a call that got no answer, or none that can be used. ChainsErrors stay what they are. The
 * error itself is not kept as the cause: those of the clouds' libraries hold requests, with tokens in them.
 */
export function unanswered(what: string, error: unknown): ChainsError {
  if (error instanceof ChainsError) return error;
  return new ChainsError('KMS_UNAVAILABLE', oneLine(`${what}: no answer: ${reasonOf(error)}`));
}

/** KMS_UNAVAILABLE for an answer that lacks what it must have. */
export function unreadable(what: string, missing: string): ChainsError {
  return new ChainsError('KMS_UNAVAILABLE', `${what}: the answer has ${missing}; is a proxy in between?`);
}
