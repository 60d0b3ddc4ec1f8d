import { setTimeout as pause } from 'node:timers/promises';

/** A try in progress; its family is unknown until the run has been read. */
interface Try {
  family: string | undefined;
  readonly cut: AbortController;
}

/** The tries in progress, so that a run is handed over only when nobody is at work on it. */
export class Tries {
  readonly #tries = new Set<Try>();
  #ended = Promise.withResolvers<void>();

  /** A try begins; it ends with `end`, and must stop when its signal aborts. */
  begin(): { readonly signal: AbortSignal; ofFamily(family: string): void; end(): void } {
    const one: Try = { family: undefined, cut: new AbortController() };
    this.#tries.add(one);
    return {
      signal: one.cut.signal,
      ofFamily: (family) => {
        one.family = family;
      },
      end: () => {
        this.#tries.delete(one);
        this.#ended.resolve();
        this.#ended = Promise.withResolvers();
      },
    };
  }

  /** Stops everything in progress at once. */
  cutAll(): void {
    for (const { cut } of this.#tries) cut.abort();
  }

  /** Resolves when only tries of families that are kept are in progress; what takes more than `timeout` milliseconds is stopped. */
  async handOver(isKept: (family: string) => boolean, timeout: number): Promise<void> {
    const leaving = (): Try[] =>
      [...this.#tries].filter(({ family }) => family !== undefined && !isKept(family));
    const late = new AbortController();
    const cutting = pause(timeout, undefined, { signal: late.signal, ref: false }).then(
      () => {
        for (const { cut } of leaving()) cut.abort();
      },
      () => {},
    );
    while (leaving().length > 0) await this.#ended.promise;
    late.abort();
    await cutting;
  }
}
