import { setTimeout as pause } from 'node:timers/promises';
import { ChainsError, reasonOf } from '../errors.ts';
import type { Rest } from '../kubernetes/rest.ts';
import type { Log } from '../telemetry/logs.ts';
import type { MemberLease, Renewal } from './lease.ts';
import { Leases } from './leases.ts';
import { Others } from './others.ts';
import { isOurs, memberFor, type View } from './shares.ts';
import { defaultTiming, readTiming, type Timing } from './timing.ts';
import { Tries } from './tries.ts';

/** What a membership needs. */
export interface MembershipOptions {
  readonly rest: Rest;
  readonly log: Log;
  /** Where the Leases are. */
  readonly namespace: string;
  /** This member's name, and its Lease's. */
  readonly name: string;
  /** Called when other runs may be this member's than before. */
  readonly changed: () => void;
}

/** This member's Lease, and the view that stands in it. */
interface Own extends View {
  readonly uid: string;
  readonly createdAt: string;
  /** When the last renewal was sent that the API server took, by `performance.now()`. */
  readonly renewedAt: number;
}

/** Milliseconds after which a call on a Lease that failed is tried again. */
const againAfter = 1_000;

/** Milliseconds that giving up the Lease may take. */
const leaveWithin = 3_000;

/**
 * This replica among the others (decision 92). Each has a Lease, which names the members that it works with, its view;
 * the Lease of a member that no longer renews it is deleted. A member works on the runs that its own view assigns to it
 * and no other member's view assigns to another. Before it writes a new view, it ends its work on runs that it would lose;
 * afterwards it reads all other views again. So no two members work on one run, whatever their clocks say.
 */
export class Membership {
  /** What is being worked on. */
  readonly tries = new Tries();
  readonly #options: MembershipOptions;
  readonly #leases: Leases;
  readonly #others = new Others();
  readonly #joined = Promise.withResolvers<void>();
  #timing: Timing = defaultTiming;
  #own: Own | undefined;
  /** A view that is not in force yet: no run is begun that it assigns to another member. */
  #next: View | undefined;
  /** Without Leases, all runs are this member's. */
  #state: 'joining' | 'member' | 'alone' = 'joining';
  /** All views, when other runs than before last became this member's. */
  #known = '';
  #deadline: NodeJS.Timeout | undefined;
  #trouble: string | undefined = 'it has not joined yet';
  #wake = (): void => {};

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#leases = new Leases(options.rest, options.namespace);
  }

  /** Resolves once it is known which runs are this member's. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Why this member works on nothing; undefined while it works or stands by. */
  get trouble(): string | undefined {
    if (this.#state === 'alone' || this.#isFresh()) return undefined;
    return this.#trouble ?? 'its Lease could not be renewed in time';
  }

  /** Members, this one included. */
  get size(): number {
    return this.#others.size + 1;
  }

  /** Whether this member may work on a family of runs, at this moment. */
  owns(family: string): boolean {
    if (this.#state === 'alone') return true;
    if (this.#own === undefined || !this.#isFresh()) return false;
    const isLeaving =
      this.#next !== undefined && memberFor(family, this.#next.members) !== this.#options.name;
    return !isLeaving && isOurs(family, this.#own, this.#others.views);
  }

  /** Joins the others and stays among them until aborted; then gives the Lease up. */
  async follow(signal: AbortSignal): Promise<void> {
    const watching = new AbortController();
    let watch: Promise<void> | undefined;
    while (!signal.aborted && this.#state !== 'alone') {
      let wait = againAfter;
      try {
        await this.#step(signal);
        wait = this.#untilNextStep();
        watch ??= this.#leases.follow(
          { seen: (lease) => this.#saw(lease), gone: (lease) => this.#gone(lease) },
          watching.signal,
        );
      } catch (error) {
        if (!signal.aborted) this.#failed(error);
      }
      await this.#sleep(wait, signal);
    }
    watching.abort();
    await watch;
    await this.#leave();
  }

  async #step(signal: AbortSignal): Promise<void> {
    if (this.#state === 'joining') this.#timing = await readTiming(this.#options, signal);
    if (this.#own === undefined) await this.#join(signal);
    else await this.#renew(this.#own.members, signal);
    await this.#putOutDead(signal);
    if (!this.#isInForce()) await this.#changeView(signal);
    // If others have come or gone meanwhile, the next step follows at once.
    if (this.#isInForce()) this.#next = undefined;
    this.#trouble = undefined;
    this.#notice();
  }

  async #join(signal: AbortSignal): Promise<void> {
    const { name } = this.#options;
    await this.#look(signal);
    const members = this.#due();
    this.#next = { member: name, members };
    const renewedAt = performance.now();
    const lease = await this.#leases.create(name, this.#renewal(members), this.#soon(signal));
    this.#others.steady();
    this.#renewed({ member: name, members, uid: lease.uid, createdAt: lease.createdAt, renewedAt });
    await this.#look(signal);
  }

  async #changeView(signal: AbortSignal): Promise<void> {
    const { name, log } = this.#options;
    const members = this.#due();
    this.#next = { member: name, members };
    const isKept = (family: string): boolean => memberFor(family, members) === name;
    await this.tries.handOver(isKept, this.#timing.renewDeadline / 2);
    await this.#renew(members, signal);
    await this.#look(signal);
    log.info(`replicas that share the runs: ${members.join(', ')}`);
  }

  async #renew(members: readonly string[], signal: AbortSignal): Promise<void> {
    const own = this.#own;
    if (own === undefined) return;
    const renewedAt = performance.now();
    if (!this.#isFresh()) this.#others.steady();
    const { name } = this.#options;
    await this.#leases.renew({ name, uid: own.uid }, this.#renewal(members), this.#soon(signal));
    this.#renewed({ ...own, members, renewedAt });
  }

  #renewed(own: Own): void {
    // Between the end of the time that it had and this answer, runs may have been left out.
    if (!this.#isFresh()) this.#known = '';
    this.#own = own;
    clearTimeout(this.#deadline);
    const left = this.#timing.renewDeadline - (performance.now() - own.renewedAt);
    this.#deadline = setTimeout(() => this.#stopWork('the Lease could not be renewed in time'), left).unref();
  }

  /** Reads all Leases from the API server, rather than from a watch that may lag. */
  async #look(signal: AbortSignal): Promise<void> {
    const all = await this.#leases.list(this.#soon(signal));
    this.#others.are(all.filter(({ name }) => name !== this.#options.name));
  }

  async #putOutDead(signal: AbortSignal): Promise<void> {
    for (const { name, uid, resourceVersion } of this.#others.dead) {
      try {
        await this.#leases.delete({ name, uid, resourceVersion }, this.#soon(signal));
        this.#others.forget(name);
        this.#options.log.info(`${name} no longer renews its Lease: its runs go to the others`);
      } catch (error) {
        // It has been renewed in the meantime.
        if (!(error instanceof ChainsError) || error.code !== 'CLUSTER_CONFLICT') throw error;
        await this.#look(signal);
      }
    }
  }

  /** The names of the members that are to work, in order: the oldest, where not all may. */
  #due(): readonly string[] {
    const own = { name: this.#options.name, createdAt: this.#own?.createdAt ?? 'not yet' };
    return [own, ...this.#others.leases]
      .toSorted((one, other) => compare(one.createdAt, other.createdAt) || compare(one.name, other.name))
      .slice(0, this.#timing.buckets)
      .map(({ name }) => name)
      .toSorted();
  }

  /** Whether the view that stands in the Lease is the one that is due. */
  #isInForce(): boolean {
    return this.#own?.members.join(',') === this.#due().join(',');
  }

  #saw(lease: MemberLease): void {
    if (lease.name !== this.#options.name && this.#others.saw(lease)) this.#othersChanged();
  }

  #gone(lease: MemberLease): void {
    if (this.#others.gone(lease)) this.#othersChanged();
  }

  /** Others have come, gone or changed their views. */
  #othersChanged(): void {
    this.#notice();
    this.#wake();
  }

  /** Reports that other runs than before may be this member's. */
  #notice(): void {
    if (this.#own === undefined || this.#next !== undefined || !this.#isFresh()) return;
    const views = [this.#own, ...this.#others.views];
    const known = views
      .map(({ member, members }) => `${member}: ${members.join(',')}`)
      .toSorted()
      .join('; ');
    if (known === this.#known) return;
    this.#known = known;
    this.#enter('member');
  }

  #enter(state: 'member' | 'alone'): void {
    this.#state = state;
    this.#joined.resolve();
    this.#options.changed();
  }

  #failed(error: unknown): void {
    const { log, namespace } = this.#options;
    const status = error instanceof ChainsError ? error.status : undefined;
    if (this.#state === 'joining' && (status === 403 || status === 404)) {
      const why = `since it may not keep a Lease in ${namespace}: ${reasonOf(error)}`;
      log.warn(`this replica signs all runs itself, ${why}. More than one would do the same work twice.`);
      return this.#enter('alone');
    }
    this.#trouble = reasonOf(error);
    log.warn(`the Lease of this replica could not be renewed: ${this.#trouble}`);
    if (this.#own === undefined || (status !== 404 && status !== 409)) return undefined;
    this.#own = undefined;
    return this.#stopWork('its Lease is gone');
  }

  /** From the end of the Lease on, others may do the work. */
  #stopWork(why: string): void {
    this.#options.log.warn(`stopping work, since ${why}`);
    this.#known = '';
    this.tries.cutAll();
  }

  async #leave(): Promise<void> {
    const { name, log } = this.#options;
    clearTimeout(this.#deadline);
    const own = this.#own;
    this.#own = undefined;
    if (own === undefined) return;
    await this.#leases
      .delete({ name, uid: own.uid }, AbortSignal.timeout(leaveWithin))
      .catch((error: unknown) => log.warn(`the Lease could not be given up: ${reasonOf(error)}`));
  }

  #isFresh(): boolean {
    return this.#own !== undefined && performance.now() - this.#own.renewedAt < this.#timing.renewDeadline;
  }

  #renewal(members: readonly string[]): Renewal {
    return { members, duration: this.#timing.leaseDuration };
  }

  #untilNextStep(): number {
    return this.#next === undefined ? Math.min(this.#timing.retryPeriod, this.#others.untilExpiry) : 0;
  }

  /** A call on a Lease that is not answered soon is given up: it would be too late. */
  #soon(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#timing.retryPeriod)]);
  }

  async #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    const awake = new AbortController();
    this.#wake = () => awake.abort();
    await pause(milliseconds, undefined, { signal: AbortSignal.any([signal, awake.signal]) }).catch(() => {});
  }
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
