import { ChainsError, type ErrorCode } from '../errors.ts';
import type { ArtifactKind } from './artifact.ts';
import type { Run } from './run.ts';

/** How a try to sign a run ended. */
export type TryOutcome = 'signed' | 'failed' | 'retry' | 'stopped';

/**
 * What a span says besides its name: words of this program and names, never contents, keys or messages. Whoever adds one
 * makes sure that no tenant's secret can be in it.
 */
export interface SpanAttributes {
  readonly artifact?: ArtifactKind;
  readonly format?: string;
  /** A signer, the witness, or a store with the registry that it pushes to. */
  readonly backend?: string;
  readonly outcome?: TryOutcome;
}

/** A piece of work as a trace shows it. One that is not ended is not sent. */
export interface Span {
  /** In hex. */
  readonly traceId: string;
  /** Begins a part of it. */
  begin(name: string, attributes: SpanAttributes): Span;
  /** Ends it. @param error why it failed, where it did */
  end(attributes: SpanAttributes, error?: ErrorCode): void;
}

/** Opens spans for runs, and sends those that end to a collector, in the background. */
export interface Traces {
  /** Begins the span of one try to sign a run, below the run's own; undefined where this trace is not sampled. */
  begin(run: Run, attempt: number): Span | undefined;
  /** Sends what has ended, for a few seconds at most. */
  close(): Promise<void>;
}

/**
 * Does a part of the work in a span of its own; without a span around it, it is only done.
 * @param failure where in the result an error may be; by default it is the result itself
 */
export async function inSpan<T>(
  parent: Span | undefined,
  name: string,
  attributes: SpanAttributes,
  work: () => Promise<T>,
  failure: (result: T) => unknown = (result) => result,
): Promise<T> {
  if (parent === undefined) return work();
  const span = parent.begin(name, attributes);
  try {
    const result = await work();
    span.end({}, codeOf(failure(result)));
    return result;
  } catch (error) {
    span.end({}, codeOf(error) ?? 'UNEXPECTED');
    throw error;
  }
}

function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof ChainsError ? error.code : undefined;
}
