import type { BackendReport } from '../model/outcome.ts';
import { Backoff } from './backoff.ts';

/** The name of the API server as a back end. */
export const apiServer = 'the API server';

/** A back end that is unavailable, and the keys that wait for it; one of them, the probe, is tried again and again. */
interface Outage {
  readonly waiting: Set<string>;
  probe: string;
  probes: number;
}

/** Milliseconds between probes at most, so that the keys that wait are tried within ten seconds of the end of an outage. */
const longestPause = 4_000;

/** Milliseconds that a key waits for a probe at most: longer than the pauses between probes. */
const longestWait = 300_000;

/** Back ends whose last answer is remembered: whoever creates runs chooses the registries, so there may be many. */
const mostAnswers = 1_000;

/** Outages that are probed: runs that each name another dead registry must not all be tried every few seconds. */
const mostOutages = 64;

/** Milliseconds after which a probe without an answer is replaced by another one. */
const probeSilentAfter = 5_000;

/**
 * Keys that failed because a back end was unavailable wait for it instead of for their own backoff: one of them is tried
 * again, and when it gets an answer, so are all others. A key that fails while others get answers keeps its own backoff.
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
   * A try begins. The returned function ends it, and returns the milliseconds until the next one in place of the key's
   * own backoff; undefined if that applies.
   */
  begin(key: string): (backends?: BackendReport) => number | undefined {
    const began = performance.now();
    const silent = setTimeout(() => {
      for (const [backend, outage] of this.#outages) this.#replaceProbe(backend, outage, key);
    }, probeSilentAfter).unref();
    return (backends = { unavailable: [], answered: [] }) => {
      clearTimeout(silent);
      return this.#end(key, began, backends);
    };
  }

  /** A back end has answered, in the try of a key or otherwise: the keys that waited for it are tried. */
  answered(backend: string, by?: string): void {
    this.#answeredAt.delete(backend);
    this.#answeredAt.set(backend, performance.now());
    const [oldest] = this.#answeredAt.keys();
    if (this.#answeredAt.size > mostAnswers && oldest !== undefined) this.#answeredAt.delete(oldest);
    const waiting = this.#outages.get(backend)?.waiting ?? [];
    this.#outages.delete(backend);
    for (const key of waiting) if (key !== by) this.#wake(key);
  }

  #end(key: string, began: number, { unavailable, answered }: BackendReport): number | undefined {
    for (const backend of answered) this.answered(backend, key);
    for (const [backend, outage] of this.#outages)
      if (!unavailable.includes(backend) && outage.waiting.delete(key))
        this.#replaceProbe(backend, outage, key);
    const waits = unavailable
      .filter((backend) => (this.#answeredAt.get(backend) ?? Number.NEGATIVE_INFINITY) < began)
      .map((backend) => this.#unavailable(backend, key))
      .filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  #unavailable(backend: string, key: string): number | undefined {
    if (!this.#outages.has(backend) && this.#outages.size >= mostOutages) return undefined;
    const outage = this.#outages.get(backend) ?? { waiting: new Set(), probe: key, probes: 0 };
    this.#outages.set(backend, outage);
    outage.waiting.add(key);
    if (outage.probe !== key) return longestWait;
    outage.probes += 1;
    return this.#pauses.after(outage.probes);
  }

  /** Makes another key the probe in place of this one, if there is another one. */
  #replaceProbe(backend: string, outage: Outage, key: string): void {
    if (outage.probe !== key) return;
    const [next] = [...outage.waiting].filter((one) => one !== key);
    if (next === undefined && !outage.waiting.has(key)) this.#outages.delete(backend);
    if (next === undefined) return;
    outage.probe = next;
    this.#wake(next);
  }
}
