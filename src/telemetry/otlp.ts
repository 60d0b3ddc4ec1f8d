import { setTimeout as pause } from 'node:timers/promises';
import * as api from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { type ErrorCode, reasonOf } from '../errors.ts';
import type { Run } from '../model/run.ts';
import type { Span, SpanAttributes, Traces } from '../model/span.ts';
import { version } from '../version.ts';
import type { Log } from './logs.ts';
import { ReportingExporter } from './reporting-exporter.ts';
import { plainText } from './text.ts';
import { traceParentOf } from './trace-context.ts';

/** Milliseconds that spans which have ended get to be sent when the program stops. */
const flushWithin = 2_000;

/** Requests to the collector at once: as many as it takes to send a full queue when the program stops. */
const requestsAtOnce = 8;

/** Characters of an attribute's value. */
const longestValue = 256;

/**
 * Traces that go to a collector over OTLP, as protobuf over HTTP. Where to, how often and how many comes from the standard
 * variables (`OTEL_EXPORTER_OTLP_*`, `OTEL_TRACES_SAMPLER*`, `OTEL_BSP_*`), which the libraries read. Importing this file loads them.
 */
export class OtlpTraces implements Traces {
  readonly #provider: BasicTracerProvider;
  readonly #tracer: api.Tracer;
  readonly #log: Log;

  constructor(log: Log, replica: string | undefined) {
    const own = {
      'service.name': 'tekton-chains',
      'service.version': version,
      ...(replica === undefined ? {} : { 'service.instance.id': replica }),
    };
    const resource = defaultResource()
      .merge(resourceFromAttributes(own))
      .merge(detectResources({ detectors: [envDetector] }));
    const exporter = new ReportingExporter(new OTLPTraceExporter({ concurrencyLimit: requestsAtOnce }), log);
    this.#log = log;
    this.#provider = new BasicTracerProvider({
      resource,
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    this.#tracer = this.#provider.getTracer('tekton-chains', version);
  }

  begin(run: Run, attempt: number): Span | undefined {
    const parent = traceParentOf(run);
    const around =
      parent === undefined
        ? api.ROOT_CONTEXT
        : api.trace.setSpanContext(api.ROOT_CONTEXT, {
            ...{ traceId: parent.traceId, spanId: parent.spanId, isRemote: true },
            traceFlags: parent.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
          });
    const attributes = {
      'chains.run.kind': run.kind,
      'chains.run.namespace': plainText(run.namespace, longestValue),
      'chains.run.name': plainText(run.name, longestValue),
      'chains.run.uid': plainText(run.uid, longestValue),
      'chains.attempt': attempt,
    };
    const span = this.#tracer.startSpan(`sign ${run.kind}`, { attributes }, around);
    return span.isRecording() ? new OtlpSpan(this.#tracer, span) : undefined;
  }

  async close(): Promise<void> {
    const closed = new AbortController();
    const waiting = pause(flushWithin, undefined, { signal: closed.signal }).catch(() => {});
    const flushed = this.#provider
      .shutdown()
      .catch((error: unknown) => this.#log.warn(`the last traces could not be sent: ${reasonOf(error)}`));
    await Promise.race([flushed, waiting]);
    closed.abort();
  }
}

class OtlpSpan implements Span {
  readonly #tracer: api.Tracer;
  readonly #span: api.Span;

  constructor(tracer: api.Tracer, span: api.Span) {
    this.#tracer = tracer;
    this.#span = span;
  }

  get traceId(): string {
    return this.#span.spanContext().traceId;
  }

  begin(name: string, attributes: SpanAttributes): Span {
    const around = api.trace.setSpan(api.ROOT_CONTEXT, this.#span);
    const all = { 'chains.stage': name, ...named(attributes) };
    return new OtlpSpan(this.#tracer, this.#tracer.startSpan(name, { attributes: all }, around));
  }

  end(attributes: SpanAttributes, error?: ErrorCode): void {
    this.#span.setAttributes(named(attributes));
    if (error !== undefined)
      this.#span.setAttribute('error.type', error).setStatus({ code: api.SpanStatusCode.ERROR });
    this.#span.end();
  }
}

/** Attributes under the names that traces have: `chains.backend`. */
function named(attributes: SpanAttributes): api.Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      `chains.${name}`,
      typeof value === 'string' ? plainText(value, longestValue) : value,
    ]),
  );
}
