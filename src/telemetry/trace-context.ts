import { at, isJsonObject, type Json, member, parseJson } from '../json.ts';
import type { Run } from '../model/run.ts';

/** The span that a run's own trace has for it: the parent of ours. */
export interface TraceParent {
  /** In hex. */
  readonly traceId: string;
  /** In hex. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** Where Tekton writes the span of what has created a run: a JSON object like `status.spanContext`. */
const carrierAnnotation = {
  PipelineRun: 'tekton.dev/pipelinerunSpanContext',
  TaskRun: 'tekton.dev/taskrunSpanContext',
};

/** Where other programs may write a bare `traceparent` for a PipelineRun. */
const bareAnnotation = 'tekton.dev/traceparent';

/** Characters of a carrier that are looked at; Tekton writes fewer. */
const longestCarrier = 1_024;

/**
 * The span that a run names as its parent, read where Tekton reads it and in the same order: the status, the annotation of
 * Tekton, the annotation of others. All of it is outside text; what is not valid counts as absent.
 */
export function traceParentOf(run: Run): TraceParent | undefined {
  const carrier = run.annotations[carrierAnnotation[run.kind]];
  const bare = run.kind === 'PipelineRun' ? run.annotations[bareAnnotation] : undefined;
  return (
    parseTraceParent(at(run.object, 'status', 'spanContext', 'traceparent')) ??
    parseTraceParent(traceparentIn(carrier)) ??
    parseTraceParent(bare)
  );
}

function traceparentIn(carrier: string | undefined): Json | undefined {
  if (carrier === undefined || carrier.length > longestCarrier) return undefined;
  try {
    const value = parseJson(carrier);
    return isJsonObject(value) ? member(value, 'traceparent') : undefined;
  } catch {
    // Anyone may have written it, and a trace is worth no failure.
    return undefined;
  }
}

/** Version, trace id, span id, flags; versions after 00 may append fields that are not known here. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]{1,200})?$/;

/** Reads a `traceparent` as W3C's Trace Context defines it; undefined where it is not one. */
export function parseTraceParent(text: unknown): TraceParent | undefined {
  if (typeof text !== 'string' || text.length > longestCarrier) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = form.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
