import { Backoff, longestTimer } from './backoff.ts';
import { type Held, WorkPlaces } from './places.ts';
import { isDelayed, type QueuedKey, sizeOf } from './queued-key.ts';
import { Turns } from './turns.ts';
import type { Handler, Parties, Verdict } from './work.ts';

/** What comes with a key that is added. */
export interface Added<Value> {
  /** The newest; without one it must be fetched. */
  readonly value?: Value;
  /** About how many the value takes. */
  readonly bytes?: number;
  /** A value that is new for this key ends its backoff. */
  readonly urgency?: string | undefined;
  /** Milliseconds to wait; a key added again with less to wait is handled earlier. */
  readonly after?: number;
  /** Milliseconds within which what is added later begins the wait of `after` anew, since the key is not at rest yet. */
  readonly restWithin?: number;
}

/** Bounds of a queue. */
export interface QueueOptions<Value> {
  /** Keys handled at once, and as many again, three times, that have become slow (decision 76). */
  readonly concurrency: number;
  /** Whose work a key is, whatever its value. By default all keys have one owner. */
  readonly partiesOf?: (key: string, value: Value | undefined) => Parties;
  /** Bytes of values that may be carried; past it a key is kept without its value. */
  readonly budget?: number;
  readonly backoff?: Backoff;
  /** How often handling a key ended in a crash: it begins with a backoff, and alone. */
  readonly crashes?: (key: string) => number;
  /** Called before a key is handled. */
  readonly begins?: (key: string) => void;
  /** Called when a key has been handled, with whatever result. */
  readonly ended?: (key: string) => void;
  /** Called when a key is finished and forgotten. */
  readonly finished?: (key: string, verdict: Verdict) => void;
}

const ignore = (): void => {};

/**
 * A deduplicating queue of keys, each of which may carry the newest value seen for it. One key is never handled twice
 * at once; a key added while it is handled is handled again; a key that failed waits for its backoff, whatever is
 * added meanwhile. Owners and hosts have shares of the workers, see {@link WorkPlaces} and {@link Turns}.
 */
export class WorkQueue<Value> {
  readonly #entries = new Map<string, QueuedKey<Value>>();
  readonly #turns = new Turns<QueuedKey<Value>>();
  readonly #places: WorkPlaces;
  readonly #handler: Handler<Value>;
  readonly #options: Required<QueueOptions<Value>>;
  #carried = 0;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #movedAt = Date.now();
  #waiters: (() => void)[] = [];

  constructor(handler: Handler<Value>, options: QueueOptions<Value>) {
    this.#handler = handler;
    this.#options = {
      ...{ budget: 4 << 20, backoff: new Backoff(), begins: ignore, ended: ignore, finished: ignore },
      ...{ partiesOf: () => ({ owner: '', hosts: [] }), crashes: () => 0 },
      ...options,
    };
    this.#places = new WorkPlaces({ concurrency: options.concurrency, changed: () => this.#work() });
  }

  /** Adds a key with its newest value. */
  add(key: string, { value, bytes = 0, urgency, after = 0, restWithin = 0 }: Added<Value> = {}): void {
    if (this.#state === 'stopped') return;
    const known = this.#entries.get(key);
    const entry = known ?? this.#open(key, after);
    const now = Date.now();
    const hurry = urgency !== undefined && urgency !== entry.urgency;
    entry.urgency = urgency ?? entry.urgency;
    if (value !== undefined) this.#look(entry, value, bytes);
    this.#carry(entry, value, bytes);
    const isAtWork = entry.state.startsWith('working');
    if (known === undefined || isAtWork) entry.restBy = now + restWithin;
    if (isAtWork) [entry.state, entry.after] = ['working, to be looked at again', after];
    if (entry.state === 'waiting' && known !== undefined)
      this.#delay(entry, 'waiting', Math.min(after, Math.max(entry.dueAt, entry.restBy) - now));
    if (entry.state === 'backing off' && hurry) this.#makeReady(entry);
    this.#work();
  }

  /** Ends a key's wait: it is handled with the value that it has. */
  wake(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.state.startsWith('working'))
      [entry.state, entry.after] = ['working, to be looked at again', 0];
    if (entry !== undefined && isDelayed(entry)) this.#makeReady(entry);
    this.#work();
  }

  /** Starts handling. */
  start(): void {
    if (this.#state === 'new') this.#state = 'running';
    this.#work();
  }

  /** Takes nothing more, and resolves when everything in progress has ended. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    for (const entry of this.#entries.values()) clearTimeout(entry.timer);
    await this.#until(() => this.#places.size === 0);
  }

  /** Ends every backoff, and skips the next one of keys being handled: the cause of their failures may be fixed. */
  hurryAll(): void {
    for (const entry of this.#entries.values()) {
      if (isDelayed(entry)) this.#makeReady(entry);
      else entry.hurried = entry.state !== 'ready';
    }
    this.#work();
  }

  /** Resolves when there is room for another page of values. */
  async room(signal?: AbortSignal): Promise<void> {
    const roomy = (): boolean => this.#carried <= this.#options.budget / 2 && this.#turns.size <= 1_000;
    // If workers are free although keys are ready, none of these keys may begin, so more are needed.
    const idle = (): boolean => this.#state === 'running' && this.#places.areFree(1);
    await this.#until(() => roomy() || idle() || signal?.aborted === true, signal);
  }

  /** Whether a key is known: ready, being handled or waiting for another try. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Keys known: ready, being handled or waiting for another try. */
  get depth(): number {
    return this.#entries.size;
  }

  /** Keys that wait for another try or for a moment. */
  get waiting(): number {
    return [...this.#entries.values()].filter(isDelayed).length;
  }

  /** Milliseconds since the oldest ready key was added, or 0. */
  get age(): number {
    const oldest = this.#turns.first;
    return oldest === undefined ? 0 : Date.now() - oldest.addedAt;
  }

  /** Milliseconds since a key was begun or ended, while there are keys that should be; else 0. */
  get idle(): number {
    const isBusy = this.#state === 'running' && (this.#turns.size > 0 || this.#places.size > 0);
    return isBusy ? Date.now() - this.#movedAt : 0;
  }

  #open(key: string, after: number): QueuedKey<Value> {
    const failures = this.#options.crashes(key);
    const entry: QueuedKey<Value> = {
      ...{ key, value: undefined, bytes: 0, size: 0, parties: this.#options.partiesOf(key, undefined) },
      ...{ state: 'ready', addedAt: Date.now(), dueAt: 0, restBy: 0, after: 0, failures },
      ...{
        failingSince: undefined,
        timer: undefined,
        urgency: undefined,
        hurried: false,
        alone: failures > 0,
      },
    };
    this.#entries.set(key, entry);
    if (failures > 0) this.#delay(entry, 'backing off', this.#options.backoff.after(failures));
    else if (after > 0) this.#delay(entry, 'waiting', after);
    else this.#turns.add(entry);
    return entry;
  }

  #look(entry: QueuedKey<Value>, value: Value, bytes: number): void {
    entry.size = bytes;
    const parties = this.#options.partiesOf(entry.key, value);
    if (parties.hosts.join(' ') === entry.parties.hosts.join(' ')) return;
    const isReady = this.#turns.delete(entry);
    entry.parties = parties;
    if (isReady) this.#turns.add(entry);
  }

  #carry(entry: QueuedKey<Value>, value: Value | undefined, bytes: number): void {
    this.#carried -= entry.bytes;
    const fits =
      value !== undefined && (this.#carried === 0 || this.#carried + bytes <= this.#options.budget);
    entry.value = fits ? value : undefined;
    entry.bytes = fits ? bytes : 0;
    this.#carried += entry.bytes;
  }

  #makeReady(entry: QueuedKey<Value>): void {
    clearTimeout(entry.timer);
    entry.state = 'ready';
    entry.addedAt = Date.now();
    this.#turns.add(entry);
  }

  #delay(entry: QueuedKey<Value>, state: 'waiting' | 'backing off', milliseconds: number): void {
    clearTimeout(entry.timer);
    if (milliseconds <= 0) return this.#makeReady(entry);
    entry.state = state;
    entry.dueAt = Date.now() + milliseconds;
    if (this.#state === 'stopped') return undefined;
    const ready = (): void => {
      this.#makeReady(entry);
      this.#work();
    };
    entry.timer = setTimeout(ready, Math.min(milliseconds, longestTimer));
    return undefined;
  }

  #work(): void {
    while (this.#state === 'running') {
      const next = this.#turns.next(
        (parties) => this.#places.haveLeft(parties),
        (owner) => this.#places.of(owner),
      );
      if (next === undefined) break;
      const size = sizeOf(next, this.#options.concurrency);
      if (!this.#places.areFree(size.places)) {
        this.#places.makeRoomFor(next.parties.owner);
        break;
      }
      this.#turns.delete(next);
      void this.#handle(next, this.#places.take(next.parties, size));
    }
    this.#wakeWaiters();
  }

  async #handle(entry: QueuedKey<Value>, held: Held): Promise<void> {
    const { key, value, bytes, failures, failingSince } = entry;
    const { begins, ended } = this.#options;
    entry.state = 'working';
    entry.hurried = false;
    entry.alone = false;
    this.#movedAt = Date.now();
    // A value being handled is no longer part of what is carried.
    this.#carry(entry, undefined, 0);
    begins(key);
    const verdict = await this.#handler({
      key,
      value,
      failures,
      failingSince,
      signal: held.cut.signal,
    });
    ended(key);
    this.#movedAt = Date.now();
    this.#places.give(held);
    this.#settle(entry, verdict, value, bytes);
    this.#work();
  }

  #settle(entry: QueuedKey<Value>, verdict: Verdict, value: Value | undefined, bytes: number): void {
    const failed = !verdict.finished && verdict.failed;
    const addedMeanwhile = entry.state === 'working, to be looked at again';
    if (verdict.finished) [entry.failures, entry.failingSince] = [0, undefined];
    if (failed) [entry.failures, entry.failingSince] = [entry.failures + 1, entry.failingSince ?? Date.now()];
    if (addedMeanwhile && !failed) return this.#delay(entry, 'waiting', entry.after);
    if (verdict.finished) {
      this.#entries.delete(entry.key);
      this.#options.finished(entry.key, verdict);
      return undefined;
    }
    // Values that wait for a backoff must not fill the budget, or failing runs would stop the listing.
    const spare = this.#carried + bytes <= this.#options.budget / 4;
    if (!addedMeanwhile && !verdict.stale && spare) this.#carry(entry, value, bytes);
    if (entry.hurried) return this.#makeReady(entry);
    const pause = failed ? (verdict.instead ?? this.#options.backoff.after(entry.failures)) : 0;
    const backoff = Math.max(verdict.again, pause);
    return this.#delay(
      entry,
      failed ? 'backing off' : 'waiting',
      Math.min(backoff, verdict.within ?? backoff),
    );
  }

  #wakeWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  async #until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    const wake = (): void => this.#wakeWaiters();
    signal?.addEventListener('abort', wake, { once: true });
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    signal?.removeEventListener('abort', wake);
  }
}
