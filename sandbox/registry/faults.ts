/** What goes wrong in a registry. */
export type RegistryFault =
  /** The answer comes later. */
  | { readonly kind: 'latency'; readonly milliseconds: number }
  /** Refused without effect; `retryAfter` in seconds. */
  | { readonly kind: 'status'; readonly code: number; readonly retryAfter?: number }
  /** The connection breaks: before anything is done, or in the midst of the answer. */
  | { readonly kind: 'broken'; readonly when: 'before' | 'answering' }
  /** The answer's bytes are not those that its digest names. */
  | { readonly kind: 'lie' };

/** A request, as faults choose among them. */
export interface RegistryRequest {
  readonly method: string;
  /** `/v2/acme/app/manifests/latest` */
  readonly path: string;
}

interface Rule {
  readonly fault: RegistryFault;
  readonly when: (request: RegistryRequest) => boolean;
  left: number;
}

/** Faults on demand. */
export class RegistryFaults {
  readonly #rules = new Set<Rule>();

  /** Adds a fault that strikes at most `count` times. */
  add(
    fault: RegistryFault,
    {
      count = Number.POSITIVE_INFINITY,
      when = () => true,
    }: {
      readonly count?: number;
      readonly when?: (request: RegistryRequest) => boolean;
    } = {},
  ): void {
    this.#rules.add({ fault, when, left: count });
  }

  /** Takes all faults away. */
  clear(): void {
    this.#rules.clear();
  }

  /** The faults that strike this request; asked once a request. */
  for(request: RegistryRequest): readonly RegistryFault[] {
    return [...this.#rules]
      .filter((rule) => {
        const strikes = rule.left > 0 && rule.when(request);
        if (strikes) rule.left -= 1;
        return strikes;
      })
      .map(({ fault }) => fault);
  }
}
