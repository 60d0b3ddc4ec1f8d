import type { Parties } from './work.ts';

/** Ready keys with the same parties: all of them may begin, or none. */
interface Lane<Entry> {
  readonly parties: Parties;
  readonly entries: Set<Entry>;
}

/** Something that waits for its turn. */
export interface Waiting {
  readonly parties: Parties;
}

/**
 * What is ready, by owner. The next turn is that of the owner who has the least in progress, among equals of the one
 * who has waited for the longest; among an owner's lanes it goes round, and in each it is first come, first served.
 */
export class Turns<Entry extends Waiting> {
  readonly #lanesOf = new Map<string, Map<string, Lane<Entry>>>();
  readonly #laneOf = new Map<Entry, string>();

  /** How many are ready. */
  get size(): number {
    return this.#laneOf.size;
  }

  /** In the order in which they came. */
  get first(): Entry | undefined {
    const [first] = this.#laneOf.keys();
    return first;
  }

  /** Puts one at the end of its owner's. */
  add(entry: Entry): void {
    const { owner, hosts } = entry.parties;
    const [lanes, name] = [this.#lanesOf.get(owner) ?? new Map<string, Lane<Entry>>(), hosts.join(' ')];
    const lane = lanes.get(name) ?? { parties: entry.parties, entries: new Set() };
    this.#lanesOf.set(owner, lanes.set(name, lane));
    lane.entries.add(entry);
    this.#laneOf.set(entry, name);
  }

  /** Takes one out, if it is there; to be called before its parties change. */
  delete(entry: Entry): boolean {
    const { owner } = entry.parties;
    const [lanes, name] = [this.#lanesOf.get(owner), this.#laneOf.get(entry)];
    const lane = name === undefined ? undefined : lanes?.get(name);
    if (lanes === undefined || name === undefined || lane === undefined) return false;
    this.#laneOf.delete(entry);
    lane.entries.delete(entry);
    // An owner that had a turn goes to the end of the line.
    lanes.delete(name);
    this.#lanesOf.delete(owner);
    if (lane.entries.size > 0) lanes.set(name, lane);
    if (lanes.size > 0) this.#lanesOf.set(owner, lanes);
    return true;
  }

  /** The next one whose parties may begin something. */
  next(mayBegin: (parties: Parties) => boolean, held: (owner: string) => number): Entry | undefined {
    let [least, next]: [number, Entry | undefined] = [Number.POSITIVE_INFINITY, undefined];
    for (const [owner, lanes] of this.#lanesOf) {
      if (held(owner) >= least) continue;
      const lane = lanes.values().find(({ parties }) => mayBegin(parties));
      if (lane !== undefined) [least, next] = [held(owner), lane.entries.values().next().value];
    }
    return next;
  }
}
