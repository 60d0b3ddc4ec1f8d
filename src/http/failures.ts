import { unlessAborted } from '../concurrency.ts';
import { ChainsError, type ErrorCode, reasonOf } from '../errors.ts';
import { oneLine } from '../text.ts';

/** The error codes for the failures of one kind of service. */
export interface FailureCodes {
  /** The failure is temporary. */
  readonly unavailable: ErrorCode;
  /** The failure lasts until something is changed. */
  readonly refused: ErrorCode;
  /** Temporary statuses in addition to 408, 425, 429 and 5xx. */
  readonly temporary: readonly number[];
}

/** More about a refusal than its status. */
export interface RefusalDetails {
  /** The header `Retry-After`. */
  readonly retryAfter?: unknown;
  readonly hint?: string | undefined;
}

/**
 * How the failures of one kind of service are reported. An error that was caught is never kept as the cause, since those of
 * the clouds' libraries hold requests with tokens.
 */
export interface Failures {
  /**
   * The error for a status that is no success.
   * @param what the call and the place, e.g. `write gs://bucket/object`
   * @param reason as the service states it
   */
  readonly refusal: (what: string, status: number, reason: string, details?: RefusalDetails) => ChainsError;
  /** For a call that can't be made, with what to do about it: `refused`. */
  readonly unusable: (message: string) => ChainsError;
  /** For a call without a usable answer: `unavailable`. A ChainsError is kept as it is. */
  readonly unanswered: (what: string, error: unknown) => ChainsError;
  /** For an answer that lacks a part: `unavailable`. */
  readonly unreadable: (what: string, missing: string) => ChainsError;
  /**
   * Works with a signal that aborts with the given one or after that time, and then stops waiting, even if the work
   * ignores the signal.
   * @throws ChainsError `unavailable` when the time is over; the given signal's reason when that one aborts.
   */
  readonly within: <T>(
    milliseconds: number,
    what: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ) => Promise<T>;
}

/** The failures of one kind of service. */
export function failuresOf({ unavailable, refused, temporary }: FailureCodes): Failures {
  const retried: ReadonlySet<number> = new Set([408, 425, 429, ...temporary]);
  return {
    refusal(what, status, reason, { retryAfter, hint } = {}) {
      const code = status >= 500 || retried.has(status) ? unavailable : refused;
      const unexplained = status === 404 ? 'there is no such thing' : '(no reason given)';
      const pause = readRetryAfter(retryAfter, Date.now());
      return new ChainsError(code, oneLine(`${what}: ${status} ${reason.trim() || unexplained}`), {
        status,
        ...(pause === undefined ? {} : { retryAfter: pause }),
        ...(hint === undefined ? {} : { hint }),
      });
    },
    unusable: (message) => new ChainsError(refused, oneLine(message)),
    unanswered(what, error) {
      if (error instanceof ChainsError) return error;
      return new ChainsError(unavailable, oneLine(`${what}: no answer: ${reasonOf(error)}`));
    },
    unreadable: (what, missing) =>
      new ChainsError(unavailable, `${what}: the answer has ${missing}; is a proxy in between?`),
    async within(milliseconds, what, signal, work) {
      signal?.throwIfAborted();
      const limit = AbortSignal.timeout(milliseconds);
      const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      try {
        return await unlessAborted(either, work(either));
      } catch (error) {
        signal?.throwIfAborted();
        if (!limit.aborted) throw error;
        throw new ChainsError(unavailable, `${what}: no answer within ${milliseconds / 1_000} s`);
      }
    },
  };
}

const longestPause = 3_600_000;

/** Milliseconds that a `Retry-After` header asks for, given in seconds or as a date; at most an hour. */
export function readRetryAfter(header: unknown, now: number): number | undefined {
  if (typeof header !== 'string' || header.trim() === '') return undefined;
  const milliseconds = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(milliseconds) ? undefined : Math.min(Math.max(milliseconds, 0), longestPause);
}
