import { Backoff } from './backoff.ts';
import type { Handler, Verdict } from './work.ts';

/** Milliseconds; a longer timer would fire at once. */
const longestTimer = 2 ** 31 - 1;

interface Entry<Value> {
  value: Value | undefined;
  bytes: number;
  state: 'ready' | 'working' | 'working, to be looked at again' | 'delayed';
  addedAt: number;
  failures: number;
  failingSince: number | undefined;
  timer: NodeJS.Timeout | undefined;
  urgency: string | undefined;
  /** While it was handled, what makes it fail may have been mended. */
  hurried: boolean;
}

/** Bounds of a queue. */
export interface QueueOptions {
  /** Keys handled at once. */
  readonly concurrency: number;
  /** Bytes of values that may be carried; past it a key is kept without its value. */
  readonly budget?: number;
  readonly backoff?: Backoff;
  /** Called when a key is through and forgotten. */
  readonly finished?: (key: string) => void;
}

/**
 * A deduplicating queue of keys, each of which may carry the newest value seen for it. One key is never handled twice
 * at once; a key added while it is handled is handled again; a key that failed waits for its backoff, whatever is
 * added meanwhile.
 */
export class WorkQueue<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #ready = new Set<string>();
  readonly #handler: Handler<Value>;
  readonly #concurrency: number;
  readonly #budget: number;
  readonly #backoff: Backoff;
  readonly #finished: (key: string) => void;
  #carried = 0;
  #working = 0;
  #running = false;
  #waiters: (() => void)[] = [];

  constructor(
    handler: Handler<Value>,
    { concurrency, budget = 8 << 20, backoff = new Backoff(), finished = () => {} }: QueueOptions,
  ) {
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#budget = budget;
    this.#backoff = backoff;
    this.#finished = finished;
  }

  /**
   * Adds a key with its newest value of about so many bytes. An `urgency` that was not given for this key before ends
   * the backoff that it waits for.
   */
  add(key: string, value?: Value, bytes = 0, urgency?: string): void {
    const entry = this.#entries.get(key) ?? this.#open(key);
    const hurry = urgency !== undefined && urgency !== entry.urgency;
    entry.urgency = urgency ?? entry.urgency;
    this.#carry(entry, value, bytes);
    if (entry.state === 'working') entry.state = 'working, to be looked at again';
    if (entry.state === 'delayed' && (hurry || entry.failures === 0)) this.#makeReady(key, entry);
    this.#work();
  }

  /** What a key waited for has come: it is handled, with the value that it has. */
  wake(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.state === 'working') entry.state = 'working, to be looked at again';
    if (entry?.state === 'delayed') this.#makeReady(key, entry);
    this.#work();
  }

  /** Starts handling. */
  start(): void {
    this.#running = true;
    this.#work();
  }

  /** Takes nothing more, and resolves when what is being handled is through. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const entry of this.#entries.values()) clearTimeout(entry.timer);
    await this.#until(() => this.#working === 0);
  }

  /** Ends every backoff, and spares what is being handled the next one: what made keys fail may be mended. */
  hurryAll(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.state === 'delayed') this.#makeReady(key, entry);
      else entry.hurried = entry.state !== 'ready';
    }
    this.#work();
  }

  /** Resolves when there is room for another page of values. */
  async room(signal?: AbortSignal): Promise<void> {
    const roomy = (): boolean => this.#carried <= this.#budget / 2 && this.#ready.size <= 1_000;
    await this.#until(() => roomy() || signal?.aborted === true, signal);
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
    return [...this.#entries.values()].filter(({ state }) => state === 'delayed').length;
  }

  /** Milliseconds since the oldest ready key was added, or 0. */
  get age(): number {
    const [oldest] = this.#ready;
    const entry = oldest === undefined ? undefined : this.#entries.get(oldest);
    return entry === undefined ? 0 : Date.now() - entry.addedAt;
  }

  #open(key: string): Entry<Value> {
    const entry: Entry<Value> = {
      value: undefined,
      bytes: 0,
      state: 'ready',
      addedAt: Date.now(),
      failures: 0,
      failingSince: undefined,
      timer: undefined,
      urgency: undefined,
      hurried: false,
    };
    this.#entries.set(key, entry);
    this.#ready.add(key);
    return entry;
  }

  #carry(entry: Entry<Value>, value: Value | undefined, bytes: number): void {
    this.#carried -= entry.bytes;
    const fits = value !== undefined && (this.#carried === 0 || this.#carried + bytes <= this.#budget);
    entry.value = fits ? value : undefined;
    entry.bytes = fits ? bytes : 0;
    this.#carried += entry.bytes;
  }

  #makeReady(key: string, entry: Entry<Value>): void {
    clearTimeout(entry.timer);
    entry.state = 'ready';
    entry.addedAt = Date.now();
    this.#ready.add(key);
  }

  #work(): void {
    while (this.#running && this.#working < this.#concurrency) {
      const [key] = this.#ready;
      const entry = key === undefined ? undefined : this.#entries.get(key);
      if (key === undefined || entry === undefined) return;
      this.#ready.delete(key);
      this.#working += 1;
      void this.#handle(key, entry);
    }
  }

  async #handle(key: string, entry: Entry<Value>): Promise<void> {
    const { value, bytes, failures, failingSince } = entry;
    entry.state = 'working';
    entry.hurried = false;
    // What is being handled no longer waits, so it doesn't count as carried.
    this.#carry(entry, undefined, 0);
    const verdict = await this.#handler({ key, value, failures, failingSince });
    this.#working -= 1;
    this.#settle(key, entry, verdict, value, bytes);
    this.#wakeWaiters();
    this.#work();
  }

  #settle(key: string, entry: Entry<Value>, verdict: Verdict, value: Value | undefined, bytes: number): void {
    const failed = !verdict.finished && verdict.failed;
    entry.failures = failed ? entry.failures + 1 : 0;
    entry.failingSince = failed ? (entry.failingSince ?? Date.now()) : undefined;
    const addedMeanwhile = entry.state === 'working, to be looked at again';
    if (addedMeanwhile && !failed) return this.#makeReady(key, entry);
    if (verdict.finished) {
      this.#entries.delete(key);
      this.#finished(key);
      return undefined;
    }
    // Values that wait for a backoff may not fill the budget, or listing would wait for what fails.
    const spare = this.#carried + bytes <= this.#budget / 4;
    if (!addedMeanwhile && !verdict.stale && spare) this.#carry(entry, value, bytes);
    if (entry.hurried) return this.#makeReady(key, entry);
    entry.state = 'delayed';
    const backoff = Math.max(verdict.again, failed ? this.#backoff.after(entry.failures) : 0);
    const delay = Math.min(backoff, verdict.within ?? backoff, longestTimer);
    entry.timer = setTimeout(() => {
      this.#makeReady(key, entry);
      this.#work();
    }, delay);
    return undefined;
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
