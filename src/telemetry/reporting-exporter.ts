import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { reasonOf } from '../errors.ts';
import type { Log } from './logs.ts';

type Done = Parameters<SpanExporter['export']>[1];
type Result = Parameters<Done>[0];

/** Says in the log when a collector stops taking spans and when it takes them again; each time once. */
export class ReportingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #log: Log;
  /** Spans that were lost since the collector last took some. */
  #lost = 0;

  constructor(exporter: SpanExporter, log: Log) {
    this.#exporter = exporter;
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.#exporter.export(spans, (result) => {
      this.#note(result, spans.length);
      // What failed was said here: OpenTelemetry would say it once more for each batch.
      done({ code: ExportResultCode.SUCCESS });
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #note({ code, error }: Result, spans: number): void {
    if (code !== ExportResultCode.SUCCESS) {
      if (this.#lost === 0) this.#log.warn(`the collector does not take traces: ${shortReason(error)}`);
      this.#lost += spans;
    } else if (this.#lost > 0) {
      this.#log.info('the collector takes traces again', { lostSpans: this.#lost });
      this.#lost = 0;
    }
  }
}

/** The status or the code of the connection's error; what a collector says besides may hold anything. */
function shortReason(error: Error | undefined): string {
  if (error === undefined) return 'no reason given';
  const code: unknown = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return `HTTP ${code}`;
  return typeof code === 'string' ? code : reasonOf(error);
}
