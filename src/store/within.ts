import { ChainsError } from '../model/errors.ts';

/** How long one store waits for one answer, in milliseconds, unless a test says otherwise. */
export const patience = 30_000;

/**
 * Works with a signal that ends with the given one or after a while, and stops waiting then, whether the work heeds it or
 * not.
 * @param what for the message
 * @throws ChainsError STORE_UNAVAILABLE when the time is over; the given signal’s reason when that one ends.
 */
export async function within<T>(
  milliseconds: number,
  what: string,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(milliseconds);
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (): void => reject(either.reason);
  either.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work(either), ended]);
  } catch (error) {
    signal?.throwIfAborted();
    if (!limit.aborted) throw error;
    throw new ChainsError('STORE_UNAVAILABLE', `${what}: no answer within ${milliseconds / 1_000} s`);
  } finally {
    either.removeEventListener('abort', end);
  }
}
