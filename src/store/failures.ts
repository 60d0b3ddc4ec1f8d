import { ChainsError } from '../errors.ts';
import { type Failures, failuresOf } from '../http/failures.ts';

/** How long one store waits for one answer, in milliseconds, unless a test says otherwise. */
export const patience = 30_000;

const common = failuresOf({
  unavailable: 'STORE_UNAVAILABLE',
  refused: 'STORE_REFUSED',
  passing: [409, 412],
});

/**
 * How failures of a store are reported. Somebody else's write passes besides the usual statuses (409, 412); 413 is
 * PAYLOAD_TOO_LARGE.
 */
export const failures: Failures = {
  ...common,
  refusal(what, status, reason, details) {
    const error = common.refusal(what, status, reason, details);
    if (status !== 413) return error;
    const advice = 'choose another store in artifacts.*.storage';
    return new ChainsError('PAYLOAD_TOO_LARGE', `${error.message}; ${advice}`, { status });
  },
};

export const { refusal, unusable, unanswered, unreadable, within } = failures;

/** PAYLOAD_TOO_LARGE: nothing of this size fits in, today or later. Sizes in bytes. */
export function tooLarge(what: string, size: number | undefined, limit: number): ChainsError {
  const how = size === undefined ? 'it is larger than' : `its ${size} bytes are more than`;
  return new ChainsError(
    'PAYLOAD_TOO_LARGE',
    `${what}: ${how} the ${limit} bytes that a document may have there, and it holds the payload twice; choose another ` +
      'store for the artifact, such as gcs',
  );
}
