import { ChainsError } from '../../model/errors.ts';

/**
 * Works with a signal that ends with the given one or after a while, and stops waiting then, whether the work heeds it or
 * not.
 * @param what for the message
 * @throws ChainsError KMS_UNAVAILABLE when the time is over; the given signal’s reason when that one ends.
 */
export async function within<T>(
  milliseconds: number,
  what: string,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(milliseconds);
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  try {
    return await unlessAborted(either, work(either));
  } catch (error) {
    signal?.throwIfAborted();
    if (!limit.aborted) throw error;
    throw new ChainsError('KMS_UNAVAILABLE', `${what}: no answer within ${milliseconds / 1_000} s`);
  }
}

/** The promise’s outcome, or the signal’s reason if that comes first. */
export async function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
