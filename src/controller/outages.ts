import type { BackendNews } from '../model/outcome.ts';
import { Backoff } from './backoff.ts';

/** The name of the API server as a back end. */
export const apiServer = 'the API server';

/** A back end that is away, and the keys that wait for it; one of them, the probe, asks again and again. */
interface Outage {
  readonly waiting: Set<string>;
  probe: string;
  probes: number;
}

/** Milliseconds between probes at most; with a try's own time, what waits goes within ten seconds of the end of an outage. */
const longestPause = 4_000;

/** Milliseconds that what waits for a probe waits at most: longer than any outage that is probed. */
const longestWait = 300_000;

/** Back ends of which it is kept when they last answered; hosts of registries are chosen by whoever creates runs. */
const mostAnswers = 1_000;

/** Milliseconds after which a probe that has no answer yet is joined by another. */
const probeSilentAfter = 5_000;

/**
 * Keys that failed because a back end was away wait for that, not for their own backoff: one of them tries again, and
 * when it gets an answer, all of them go. A key that fails while others get answers has a trouble of its own.
 */
export class Outages {
  readonly #outages = new Map<string, Outage>();
  /** When each back end last answered, of `performance.now()`. */
  readonly #answeredAt = new Map<string, number>();
  readonly #pauses: Backoff;
  readonly #wake: (key: string) => void;

  /** @param wake called with a key that is to be tried now */
  constructor(wake: (key: string) => void, pauses = new Backoff(500, longestPause)) {
    this.#wake = wake;
    this.#pauses = pauses;
  }

  /**
   * A try begins. The returned function takes its news and gives the milliseconds until the next one, in place of the
   * key's own backoff; undefined where that is right.
   */
  begin(key: string): (news?: BackendNews) => number | undefined {
    const began = performance.now();
    const silent = setTimeout(() => {
      for (const [backend, outage] of this.#outages) this.#replaceProbe(backend, outage, key);
    }, probeSilentAfter).unref();
    return (news = { away: [], answered: [] }) => {
      clearTimeout(silent);
      return this.#end(key, began, news);
    };
  }

  /** A back end has answered, the try of a key or otherwise: what waited for it goes. */
  answered(backend: string, by?: string): void {
    this.#answeredAt.delete(backend);
    this.#answeredAt.set(backend, performance.now());
    const [oldest] = this.#answeredAt.keys();
    if (this.#answeredAt.size > mostAnswers && oldest !== undefined) this.#answeredAt.delete(oldest);
    const waiting = this.#outages.get(backend)?.waiting ?? [];
    this.#outages.delete(backend);
    for (const key of waiting) if (key !== by) this.#wake(key);
  }

  #end(key: string, began: number, { away, answered }: BackendNews): number | undefined {
    for (const backend of answered) this.answered(backend, key);
    for (const [backend, outage] of this.#outages)
      if (!away.includes(backend) && outage.waiting.delete(key)) this.#replaceProbe(backend, outage, key);
    const waits = away
      .filter((backend) => (this.#answeredAt.get(backend) ?? Number.NEGATIVE_INFINITY) < began)
      .map((backend) => this.#away(backend, key));
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  #away(backend: string, key: string): number {
    const outage = this.#outages.get(backend) ?? { waiting: new Set(), probe: key, probes: 0 };
    this.#outages.set(backend, outage);
    outage.waiting.add(key);
    if (outage.probe !== key) return longestWait;
    outage.probes += 1;
    return this.#pauses.after(outage.probes);
  }

  /** Another key probes, where this one did and there is another. */
  #replaceProbe(backend: string, outage: Outage, key: string): void {
    if (outage.probe !== key) return;
    const [next] = [...outage.waiting].filter((one) => one !== key);
    if (next === undefined && !outage.waiting.has(key)) this.#outages.delete(backend);
    if (next === undefined) return;
    outage.probe = next;
    this.#wake(next);
  }
}
