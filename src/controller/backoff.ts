/** Milliseconds; node fires a longer timer at once. */
export const longestTimer = 2 ** 31 - 1;

/** How long to wait after failures in a row: doubling from `first` to `longest` milliseconds, half of it jitter. */
export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  readonly #random: () => number;

  constructor(first = 1_000, longest = 300_000, random: () => number = Math.random) {
    this.#first = first;
    this.#longest = longest;
    this.#random = random;
  }

  /** Milliseconds to wait after that many failures in a row, one or more. */
  after(failures: number): number {
    const whole = Math.min(this.#longest, this.#first * 2 ** Math.min(failures - 1, 30));
    return whole / 2 + (whole / 2) * this.#random();
  }
}
