import type { Span, SpanAttributes, Traces } from '../../src/model/span.ts';

/** A span that has ended: its name and those of the spans around it, what it says, and why it failed. */
export interface EndedSpan extends SpanAttributes {
  readonly path: string;
  readonly error?: string;
}

/** Traces that stay in this process. */
export interface RecordedTraces extends Traces {
  readonly ended: EndedSpan[];
  readonly root: Span;
}

/** Records spans as they end. */
export function recordTraces(): RecordedTraces {
  const ended: EndedSpan[] = [];
  const span = (path: string, attributes: SpanAttributes): Span => ({
    traceId: 'ab'.repeat(16),
    begin: (name, more) => span(`${path}/${name}`, more),
    end: (more, error) =>
      void ended.push({ path, ...attributes, ...more, ...(error === undefined ? {} : { error }) }),
  });
  return {
    ended,
    root: span('run', {}),
    begin: ({ kind }) => span(`sign ${kind}`, {}),
    close: async () => {},
  };
}
