import { ChainsError } from '../errors.ts';
import { longestTimer } from './backoff.ts';

/** What ends a try early. */
export interface TryEnds {
  /** Milliseconds, `limits.try-timeout`. */
  readonly timeout: number;
  /** Aborts when others need the places that the try takes. */
  readonly cut: AbortSignal;
  /** Aborts when the controller's time to stop is over. */
  readonly stop: AbortSignal;
}

/** The signals of one try; to be closed when it has ended. */
export interface TrySignals {
  /** Aborts what may be slow; its reason is a TRY_ENDED to be reported on the run, unless the controller stops. */
  readonly working: AbortSignal;
  /** Aborts everything else, the writing of that report too. */
  readonly everything: AbortSignal;
  close(): void;
}

/** Milliseconds for writing why a try has ended. */
const reportWithin = 30_000;

/** Begins a try. */
export function beginTry({ timeout, cut, stop }: TryEnds): TrySignals {
  const [working, everything] = [new AbortController(), new AbortController()];
  const began = Date.now();
  const end = (why: string): void => {
    clearTimeout(timer);
    const seconds = Math.round((Date.now() - began) / 100) / 10;
    const reason = new ChainsError('TRY_ENDED', `the try was ended after ${seconds} s: ${why}`);
    timer = setTimeout(() => everything.abort(reason), reportWithin);
    working.abort(reason);
  };
  let timer = setTimeout(
    () => end('limits.try-timeout allows no more for one try'),
    Math.min(timeout, longestTimer),
  );
  const onCut = (): void => end('it was slow, and runs of other namespaces were waiting for a worker');
  const onStop = (): void => {
    clearTimeout(timer);
    for (const one of [working, everything]) one.abort(stop.reason);
  };
  cut.addEventListener('abort', onCut, { once: true });
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  return {
    working: working.signal,
    everything: everything.signal,
    close() {
      clearTimeout(timer);
      cut.removeEventListener('abort', onCut);
      stop.removeEventListener('abort', onStop);
    },
  };
}
