import type { MemberLease } from './lease.ts';
import type { View } from './shares.ts';
import { hasEnded } from './process-identity.ts';

/** Another member, and since when its Lease has not changed, by `performance.now()` of this process. */
interface Other {
  readonly lease: MemberLease;
  readonly since: number;
}

/** The other members. How long a Lease was not renewed is measured by this process' own clock: theirs may be wrong. */
export class Others {
  readonly #others = new Map<string, Other>();
  /** What was seen before proves nothing: the API server may have been unreachable for all. */
  #steadySince = 0;

  get size(): number {
    return this.#others.size;
  }

  get leases(): readonly MemberLease[] {
    return [...this.#others.values()].map(({ lease }) => lease);
  }

  get views(): readonly View[] {
    return this.leases.map(({ name, members }) => ({ member: name, members }));
  }

  /** This process can renew its Lease again, and so can the others: their time begins anew. */
  steady(): void {
    this.#steadySince = performance.now();
  }

  /** A Lease was seen. Returns whether the view in it is new. What is older than what is known is ignored. */
  saw(lease: MemberLease): boolean {
    const before = this.#others.get(lease.name);
    if (before !== undefined && isOlder(lease, before.lease)) return false;
    const isUnchanged = before?.lease.uid === lease.uid && before.lease.renewTime === lease.renewTime;
    this.#others.set(lease.name, { lease, since: isUnchanged ? before.since : performance.now() });
    return before?.lease.members.join(',') !== lease.members.join(',');
  }

  /** A Lease was deleted. Returns whether its member was known, and has no newer one. */
  gone(lease: MemberLease): boolean {
    const before = this.#others.get(lease.name);
    return before !== undefined && !isOlder(lease, before.lease) && this.forget(lease.name);
  }

  /** A member is gone. Returns whether it was known. */
  forget(name: string): boolean {
    return this.#others.delete(name);
  }

  /** Replaces all others by these. */
  are(leases: readonly MemberLease[]): void {
    for (const lease of leases) this.saw(lease);
    const names = new Set(leases.map(({ name }) => name));
    for (const name of this.#others.keys()) if (!names.has(name)) this.forget(name);
  }

  /** The Leases of members that are dead: not renewed in time, or of a process of this machine that has ended. */
  get dead(): readonly MemberLease[] {
    return [...this.#others.values()]
      .filter((other) => this.#left(other) <= 0 || hasEnded(other.lease.process))
      .map(({ lease }) => lease);
  }

  /** Milliseconds until the next Lease expires if it is not renewed. */
  get untilExpiry(): number {
    return Math.min(...[...this.#others.values()].map((other) => Math.max(0, this.#left(other))));
  }

  #left({ lease, since }: Other): number {
    return Math.max(since, this.#steadySince) + lease.duration - performance.now();
  }
}

/**
 * Whether a state of a Lease is older than another: a watch may lag behind a list, and must not take back a view that the
 * list has shown. Versions that are not numbers can't be compared, and are taken as they come.
 */
function isOlder({ resourceVersion: one }: MemberLease, { resourceVersion: other }: MemberLease): boolean {
  const areNumbers = [one, other].every((version) => /^\d{1,20}$/.test(version));
  return areNumbers && BigInt(one) < BigInt(other);
}
