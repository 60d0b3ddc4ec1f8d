import { ChainsError, type ErrorCode } from '../errors.ts';
import type { Run } from '../model/run.ts';
import type { Span, Traces, TryOutcome } from '../model/span.ts';
import type { Log } from '../telemetry/logs.ts';

/** The trace of one try: nothing until a run is about to be signed, and all the time where traces are off. */
export class TryTrace {
  readonly #traces: Traces | undefined;
  #span: Span | undefined;
  #log: Log;
  #outcome: TryOutcome = 'stopped';
  #error: ErrorCode | undefined;

  constructor(traces: Traces | undefined, log: Log) {
    this.#traces = traces;
    this.#log = log;
  }

  /** The span that the stages go below. */
  get span(): Span | undefined {
    return this.#span;
  }

  /** The log, with the id of the trace once there is one. */
  get log(): Log {
    return this.#log;
  }

  /** A run is about to be signed. */
  begin(run: Run, attempt: number): void {
    this.#span = this.#traces?.begin(run, attempt);
    if (this.#span !== undefined) this.#log = this.#log.with({ trace_id: this.#span.traceId });
  }

  /** The run waits for others: this was no try, and is not sent. */
  forget(): void {
    this.#span = undefined;
  }

  /** How the try has ended; until it is said, it was stopped. */
  ended(outcome: TryOutcome, error?: unknown): void {
    this.#outcome = outcome;
    if (error !== undefined) this.#error = error instanceof ChainsError ? error.code : 'UNEXPECTED';
  }

  /** Nothing more follows. */
  close(): void {
    this.#span?.end({ outcome: this.#outcome }, this.#error);
  }
}
