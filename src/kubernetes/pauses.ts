import { setTimeout as sleep } from 'node:timers/promises';

const first = 500;
const longest = 8_000;

/** Waits that double with each failure in a row, from half a second to eight seconds, each a random part of that (full jitter). */
export class Pauses {
  #failures = 0;

  /** After something went well: the next wait is a short one again. */
  reset(): void {
    this.#failures = 0;
  }

  /** Waits, at least for `atLeast` milliseconds; ends early, without an error, when `signal` aborts. */
  async wait(signal: AbortSignal, atLeast = 0): Promise<void> {
    const whole = Math.min(longest, first * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    await sleep(Math.max(atLeast, 0) + Math.random() * whole, undefined, { signal }).catch(() => undefined);
  }
}
