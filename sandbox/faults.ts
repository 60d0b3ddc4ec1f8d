import type { ApiRequest } from './address.ts';

/** What goes wrong. */
export type Fault =
  /** The answer comes later. */
  | { readonly kind: 'latency'; readonly milliseconds: number }
  /** Refused without effect: 429, 500, 503, …; `retryAfter` in seconds. */
  | { readonly kind: 'status'; readonly code: number; readonly retryAfter?: number }
  /** The connection is reset: before the write takes effect, or after it and before the answer. */
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
  /** A watch that opens and then sends nothing, not even bookmarks. */
  | { readonly kind: 'silence' };

/** When a fault strikes: at most `count` times, with `probability`, and only for requests that `when` picks. */
export interface Limits {
  readonly count?: number;
  /** 0 to 1. */
  readonly probability?: number;
  readonly when?: (request: ApiRequest) => boolean;
}

interface Rule {
  readonly fault: Fault;
  readonly limits: Limits;
  left: number;
}

/** An open watch, as far as faults meddle with it. */
export interface Meddled {
  drop(): void;
  silence(): void;
}

/** Faults on demand. The same seed and the same requests give the same faults. */
export class Faults {
  /** How often each kind of fault has struck. */
  readonly struck: Record<Fault['kind'], number> = { latency: 0, status: 0, reset: 0, silence: 0 };
  /** How a watch from a forgotten version is refused: the event that the real server sends, or plain HTTP 410. */
  expiredAs: 'event' | 'status' = 'event';
  readonly #rules = new Set<Rule>();
  readonly #watches: ReadonlySet<Meddled>;
  readonly #forget: () => void;
  #state: number;

  constructor(seed: number, watches: ReadonlySet<Meddled>, forget: () => void) {
    this.#state = seed;
    this.#watches = watches;
    this.#forget = forget;
  }

  /** Adds a fault; the returned function takes it away again. */
  add(fault: Fault, limits: Limits = {}): () => void {
    const rule = { fault, limits, left: limits.count ?? Number.POSITIVE_INFINITY };
    this.#rules.add(rule);
    return () => this.#rules.delete(rule);
  }

  /** Takes all faults away. */
  clear(): void {
    this.#rules.clear();
  }

  /** Resets the connection of every watch that is open now. */
  dropWatches(): void {
    for (const watch of this.#watches) watch.drop();
  }

  /** Every watch that is open now stays open and sends nothing more. */
  silenceWatches(): void {
    for (const watch of this.#watches) watch.silence();
  }

  /** Forgets history: older resource versions and continue tokens are answered with 410. */
  compact(): void {
    this.#forget();
  }

  /** The faults that strike this request; asked once a request. */
  for(request: ApiRequest): readonly Fault[] {
    return [...this.#rules].filter((rule) => this.#strikes(rule, request)).map((rule) => rule.fault);
  }

  #strikes(rule: Rule, request: ApiRequest): boolean {
    if (rule.left <= 0 || rule.limits.when?.(request) === false) return false;
    if (rule.fault.kind === 'silence' && request.verb !== 'watch') return false;
    if (rule.limits.probability !== undefined && this.#random() >= rule.limits.probability) return false;
    rule.left -= 1;
    this.struck[rule.fault.kind] += 1;
    return true;
  }

  // A linear congruential generator is random enough to spread faults, and can be seeded.
  #random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }
}
