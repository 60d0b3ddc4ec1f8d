import type { Parties } from './work.ts';

/** A try that has begun, and the places that it takes. */
export interface Held {
  readonly parties: Parties;
  readonly places: number;
  readonly cut: AbortController;
  isSlow: boolean;
  isAside: boolean;
  timer: NodeJS.Timeout;
}

/** How many places there are. */
export interface PlacesOptions {
  /** Places for tries that have just begun. */
  readonly concurrency: number;
  /** Called when a try may begin that could not before. */
  readonly changed: () => void;
}

/** Milliseconds after which a try is slow. */
const slowAfter = 2_000;

/** Milliseconds that a try that was cut gets before another one is cut. */
const cutWithin = 1_000;

/** Places for slow tries, for each place of those that have just begun. */
const asideFactor = 3;

/**
 * The places of tries in progress (decision 76). A try that is slow is set aside, so that it no longer takes the place
 * of a worker, as long as there is room; then one of the owner who holds the most is cut. Nobody holds more places
 * altogether than there are for tries that have just begun.
 */
export class Places {
  readonly #concurrency: number;
  readonly #changed: () => void;
  /** In the order in which they began. */
  readonly #held = new Set<Held>();
  readonly #byOwner = new Map<string, number>();
  readonly #byHost = new Map<string, number>();
  #quick = 0;
  #aside = 0;
  #cutAt = Number.NEGATIVE_INFINITY;

  constructor({ concurrency, changed }: PlacesOptions) {
    this.#concurrency = concurrency;
    this.#changed = changed;
  }

  /** Tries in progress. */
  get size(): number {
    return this.#held.size;
  }

  /** Places that an owner's tries take. */
  of(owner: string): number {
    return this.#byOwner.get(owner) ?? 0;
  }

  /** Whether the owner and every host have less than their share: what begins last may be large, and go beyond it. */
  haveLeft({ owner, hosts }: Parties): boolean {
    const isBelow = (places: number): boolean => places < this.#concurrency;
    return isBelow(this.of(owner)) && hosts.every((host) => isBelow(this.#byHost.get(host) ?? 0));
  }

  /** Whether there are so many places for a try to begin. */
  areFree(places: number): boolean {
    return this.#quick === 0 || this.#quick + places <= this.#concurrency;
  }

  /** A try begins. */
  take(parties: Parties, places: number): Held {
    const timer = setTimeout(() => this.#isSlow(held), slowAfter);
    const held: Held = {
      ...{ parties, places, cut: new AbortController(), isSlow: false, isAside: false, timer },
    };
    this.#held.add(held);
    this.#quick += places;
    this.#count(held, places);
    return held;
  }

  /** A try has ended. */
  give(held: Held): void {
    clearTimeout(held.timer);
    this.#held.delete(held);
    if (held.isAside) this.#aside -= held.places;
    else this.#quick -= held.places;
    this.#count(held, -held.places);
    this.#setAside();
  }

  /**
   * Cuts the longest try of the owner who holds the most, for one who holds none or clearly less. Only where slow tries
   * take the places of workers, which they do when there is no room to set them aside.
   */
  makeRoomFor(owner: string, places: number): void {
    const slow = [...this.#held].filter(({ isSlow }) => isSlow);
    const [first, ...others] = slow.filter(({ cut }) => !cut.signal.aborted);
    if (first === undefined || slow.every(({ isAside }) => isAside)) return;
    if (Date.now() < this.#cutAt + cutWithin && slow.some(({ cut }) => cut.signal.aborted)) return;
    const longest = others.reduce(
      (most, one) => (this.#ofOwner(one) > this.#ofOwner(most) ? one : most),
      first,
    );
    if (this.of(owner) > 0 && this.of(owner) + places >= this.#ofOwner(longest)) return;
    this.#cutAt = Date.now();
    longest.timer = setTimeout(this.#changed, cutWithin);
    longest.cut.abort();
  }

  #ofOwner({ parties }: Held): number {
    return this.of(parties.owner);
  }

  #isSlow(held: Held): void {
    held.isSlow = true;
    this.#setAside();
    this.#changed();
  }

  #setAside(): void {
    const room = asideFactor * this.#concurrency;
    for (const held of this.#held) {
      if (!held.isSlow || held.isAside || this.#aside + held.places > room) continue;
      held.isAside = true;
      this.#quick -= held.places;
      this.#aside += held.places;
    }
  }

  #count({ parties: { owner, hosts } }: Held, places: number): void {
    add(this.#byOwner, owner, places);
    for (const host of hosts) add(this.#byHost, host, places);
  }
}

function add(counts: Map<string, number>, name: string, places: number): void {
  const now = (counts.get(name) ?? 0) + places;
  if (now === 0) counts.delete(name);
  else counts.set(name, now);
}
