import type { Config, FormatName, KeyName, StoreName } from '../config/keys.ts';
import type { Artifact } from '../model/artifact.ts';
import type { Payload } from '../model/signature.ts';
import { ChainsError } from '../errors.ts';
import { type Failures, failuresOf } from '../http/failures.ts';

/** How long one store waits for one answer, in milliseconds, unless a test says otherwise. */
export const defaultTimeout = 30_000;

const common = failuresOf({
  unavailable: 'STORE_UNAVAILABLE',
  refused: 'STORE_REFUSED',
  temporary: [409, 412],
});

/**
 * How failures of a store are reported. A conflict with another writer (409, 412) is temporary, like the usual statuses;
 * 413 is PAYLOAD_TOO_LARGE.
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

export const { unusable, unanswered, unreadable } = failures;

/**
 * Calls a client library, no longer than this many milliseconds.
 * @param failure the error for what the library throws
 * @throws ChainsError; the signal's reason when that ends
 */
export async function callLibrary<T>(
  { timeout, what, signal }: { timeout: number; what: string; signal: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
  failure: (error: unknown) => ChainsError,
): Promise<T> {
  try {
    return await failures.within(timeout, what, signal, work);
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof ChainsError ? error : failure(error);
  }
}

/** PAYLOAD_TOO_LARGE for a document that no database of this kind takes. Sizes in bytes. */
export function tooLarge(what: string, size: number | undefined, limit: number): ChainsError {
  const how = size === undefined ? 'it is larger than' : `its ${size} bytes are more than`;
  return new ChainsError(
    'PAYLOAD_TOO_LARGE',
    `${what}: ${how} the ${limit} bytes that a document may have there, and it holds the payload twice; choose another ` +
      'store for the artifact, such as gcs',
  );
}

/** The value of a key that a store can't work without. @throws ChainsError CONFIG_INVALID that names it. */
export function required<K extends KeyName>(
  config: Config,
  store: StoreName,
  key: K,
): NonNullable<Config[K]> {
  const value = config[key];
  if (value !== undefined && value !== null && value !== '') return value;
  throw new ChainsError('CONFIG_INVALID', `${key} is not set, and the store \`${store}\` needs it`);
}

/**
 * CONFIG_INVALID for a payload of a format that a store can't keep.
 * @param fitting a format of this kind of artifact that it can keep, if there is one
 */
export function unsupported(
  store: StoreName,
  { kind }: Artifact,
  { format }: Payload,
  fitting?: FormatName,
): ChainsError {
  const choose = fitting === undefined ? '' : `choose \`${fitting}\` there, or `;
  return new ChainsError(
    'CONFIG_INVALID',
    `artifacts.${kind}.format is \`${format}\`, which the store \`${store}\` does not support: ${choose}take \`${store}\` out of artifacts.${kind}.storage`,
  );
}
