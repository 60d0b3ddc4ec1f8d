import type { Parties } from './work.ts';

/** What a try takes. */
export interface Size {
  /** Places while it is new. */
  readonly places: number;
  /** Places once it is set aside. */
  readonly placesAside: number;
}

/** A try that has begun. */
export interface Held extends Size {
  readonly parties: Parties;
  readonly cut: AbortController;
  isSlow: boolean;
  isAside: boolean;
  timer: NodeJS.Timeout;
}

/** How many places there are. */
export interface PlacesOptions {
  /** Places for new tries. */
  readonly concurrency: number;
  /** Called when a try may begin that could not before. */
  readonly changed: () => void;
}

/** Milliseconds after which a try is slow. */
const slowAfter = 2_000;

/** Milliseconds that a try that was cut gets before another one is cut. */
const cutWithin = 1_000;

/** Places for slow tries, for each place of a new one. */
const asideFactor = 3;

/**
 * The places of tries in progress (decision 76). A try that is slow is set aside, so that it no longer takes the place
 * of a worker, as long as there is room; then one of the owner who has the most is cut. No owner and no host has more
 * tries in progress than there are places for new ones.
 */
export class WorkPlaces {
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

  /** Tries of an owner. */
  of(owner: string): number {
    return this.#byOwner.get(owner) ?? 0;
  }

  /** Whether the owner and every host have less than their share. */
  haveLeft({ owner, hosts }: Parties): boolean {
    const isBelow = (tries: number): boolean => tries < this.#concurrency;
    return isBelow(this.of(owner)) && hosts.every((host) => isBelow(this.#byHost.get(host) ?? 0));
  }

  /** Whether there are so many places for a try to begin. */
  areFree(places: number): boolean {
    return this.#quick === 0 || this.#quick + places <= this.#concurrency;
  }

  /** A try begins. */
  take(parties: Parties, size: Size): Held {
    const timer = setTimeout(() => this.#isSlow(held), slowAfter);
    const held: Held = {
      ...{ ...size, parties, cut: new AbortController(), isSlow: false, isAside: false, timer },
    };
    this.#held.add(held);
    this.#quick += held.places;
    this.#count(held, 1);
    return held;
  }

  /** A try has ended. */
  give(held: Held): void {
    clearTimeout(held.timer);
    this.#held.delete(held);
    if (held.isAside) this.#aside -= held.placesAside;
    else this.#quick -= held.places;
    this.#count(held, -1);
    this.#setAside();
  }

  /**
   * Cuts the longest try of the owner who has the most, for one who has none, or at least two fewer. Only where slow tries
   * take the places of workers, which they do when there is no room to set them aside.
   */
  makeRoomFor(owner: string): void {
    const slow = [...this.#held].filter(({ isSlow }) => isSlow);
    const [first, ...others] = slow.filter(({ cut }) => !cut.signal.aborted);
    if (first === undefined || slow.every(({ isAside }) => isAside)) return;
    if (Date.now() < this.#cutAt + cutWithin && slow.some(({ cut }) => cut.signal.aborted)) return;
    const longest = others.reduce(
      (most, one) => (this.#ofOwner(one) > this.#ofOwner(most) ? one : most),
      first,
    );
    if (this.of(owner) > 0 && this.of(owner) + 1 >= this.#ofOwner(longest)) return;
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
      if (!held.isSlow || held.isAside || this.#aside + held.placesAside > room) continue;
      held.isAside = true;
      this.#quick -= held.places;
      this.#aside += held.placesAside;
    }
  }

  #count({ parties: { owner, hosts } }: Held, tries: number): void {
    add(this.#byOwner, owner, tries);
    for (const host of hosts) add(this.#byHost, host, tries);
  }
}

function add(counts: Map<string, number>, name: string, tries: number): void {
  const now = (counts.get(name) ?? 0) + tries;
  if (now === 0) counts.delete(name);
  else counts.set(name, now);
}
