import type { BackendReport } from '../model/outcome.ts';

/** A handler's result for a key: it is finished, or is handled again after `again` milliseconds. */
export type Verdict =
  | {
      readonly finished: true;
      /** Nothing can be done now, but later: whoever waits for its end continues to wait. */
      readonly forNow?: boolean;
      readonly backends?: BackendReport;
    }
  | {
      readonly finished: false;
      /** True for a failure, which adds to the backoff and the deadline; false for a wait, which doesn't. */
      readonly failed: boolean;
      /** Milliseconds to wait at least; failures also wait for their backoff. */
      readonly again: number;
      /** Milliseconds to wait in place of the backoff, where an event ends the wait. */
      readonly instead?: number | undefined;
      /** Milliseconds to wait at most, whatever the backoff. */
      readonly within?: number;
      /** True if the value that the handler was given may be out of date. */
      readonly stale: boolean;
      readonly backends?: BackendReport;
    };

/** A key with what the handler needs to know of it. */
export interface Work<Value> {
  readonly key: string;
  /** The newest value seen, or undefined where it must be fetched. */
  readonly value: Value | undefined;
  /** Failures since the last success. */
  readonly failures: number;
  /** When the first of them was. */
  readonly failingSince: number | undefined;
  /** Aborts when others need its places: it must fail soon. */
  readonly signal: AbortSignal;
}

/** What handles one key at a time; it never throws. */
export type Handler<Value> = (work: Work<Value>) => Promise<Verdict>;

/** Whose work a key is, and what it depends on: each has only a share of the workers (decision 76). */
export interface Parties {
  /** Owners take turns: for runs, the namespace. */
  readonly owner: string;
  /** For runs, the hosts of registries. */
  readonly hosts: readonly string[];
}
