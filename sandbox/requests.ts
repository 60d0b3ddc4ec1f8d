import type { ApiRequest } from './address.ts';

/** A request that was answered. */
export interface RequestRecord extends ApiRequest {
  /** HTTP status; 0 where the connection was reset instead. A watch counts when it opens. */
  readonly status: number;
  /** Bytes of the request's body. */
  readonly bytes: number;
}

/** What to count: every field given must be equal. */
export type RequestPattern = Partial<RequestRecord>;

/** The log of all requests. */
export class Requests {
  #records: RequestRecord[] = [];

  /** All of them, oldest first. */
  get all(): readonly RequestRecord[] {
    return this.#records;
  }

  /** Adds one. */
  add(record: RequestRecord): void {
    this.#records.push(record);
  }

  /** Those that fit, oldest first. */
  matching(pattern: RequestPattern): readonly RequestRecord[] {
    const wanted = new Map<string, unknown>(Object.entries(pattern));
    return this.#records.filter((record) =>
      Object.entries(record).every(([k, v]) => !wanted.has(k) || wanted.get(k) === v),
    );
  }

  /** How many fit. */
  count(pattern: RequestPattern = {}): number {
    return this.matching(pattern).length;
  }

  /** Forgets all. */
  reset(): void {
    this.#records = [];
  }
}
