import type { BackendNews } from '../model/outcome.ts';

/** What a handler says of a key: finished with it, or look again after `again` milliseconds. */
export type Verdict =
  | {
      readonly finished: true;
      /** Nothing is to be done now, but later: what waits for its end goes on waiting. */
      readonly forNow?: boolean;
      readonly news?: BackendNews;
    }
  | {
      readonly finished: false;
      /** A failure counts towards the backoff and the deadline; waiting for a moment changes neither. */
      readonly failed: boolean;
      /** Milliseconds to wait at least; failures wait for their backoff besides. */
      readonly again: number;
      /** Milliseconds to wait in place of the backoff, where something else than a time ends the waiting. */
      readonly instead?: number | undefined;
      /** Milliseconds to wait at most, whatever the backoff. */
      readonly within?: number;
      /** True if the value that the handler was given may be out of date. */
      readonly stale: boolean;
      readonly news?: BackendNews;
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
  /** Aborts when others need the places that this takes: it is to fail soon. */
  readonly signal: AbortSignal;
}

/** What handles one key at a time; it never throws. */
export type Handler<Value> = (work: Work<Value>) => Promise<Verdict>;

/** Whose work a key is, and what it leans on: each has only a share of the workers (decision 76). */
export interface Parties {
  /** Owners take turns: for runs, the namespace. */
  readonly owner: string;
  /** For runs, the hosts of registries. */
  readonly hosts: readonly string[];
}
