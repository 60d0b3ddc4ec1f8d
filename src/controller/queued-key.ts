import type { Size } from './places.ts';
import type { Parties } from './work.ts';

/** A key that the queue knows. */
export interface QueuedKey<Value> {
  readonly key: string;
  value: Value | undefined;
  /** Of the value that is carried. */
  bytes: number;
  /** Of the newest value seen, carried or not. */
  size: number;
  parties: Parties;
  state: 'ready' | 'working' | 'working, to be looked at again' | 'waiting' | 'backing off';
  addedAt: number;
  /** When what is delayed is to be ready, of `Date.now()`. */
  dueAt: number;
  /** Until when what is added makes it wait anew, of `Date.now()`. */
  restBy: number;
  /** Milliseconds that what was added while it was handled may wait. */
  after: number;
  failures: number;
  failingSince: number | undefined;
  timer: NodeJS.Timeout | undefined;
  urgency: string | undefined;
  /** The cause of a failure may have been fixed while it was handled. */
  hurried: boolean;
  /** It is begun when nothing else is in progress, and keeps others from beginning until it ends or proves slow. */
  alone: boolean;
}

/** Bytes of a value for each place that it takes while it is handled. */
const bytesForPlace = 64 << 10;

/** Whether a key waits for a time or a backoff. */
export function isDelayed({ state }: QueuedKey<unknown>): boolean {
  return state === 'waiting' || state === 'backing off';
}

/** A large value takes several places, so that the places bound the memory of what is handled at once. */
export function sizeOf({ size, alone }: QueuedKey<unknown>, all: number): Size {
  const placesAside = Math.min(Math.max(1, Math.ceil(size / bytesForPlace)), all);
  return { places: alone ? all : placesAside, placesAside };
}
