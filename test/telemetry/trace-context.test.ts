import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRun } from '../../src/model/run.ts';
import { parseTraceParent, traceParentOf } from '../../src/telemetry/trace-context.ts';

const [traceId, spanId] = ['4a1c'.repeat(8), 'b7e2'.repeat(4)];
const traceparent = `00-${traceId}-${spanId}-01`;
const parent = { traceId, spanId, sampled: true };

function runWith(kind: 'TaskRun' | 'PipelineRun', annotations: Record<string, string>, status: object = {}) {
  const metadata = { name: 'build', namespace: 'ci', uid: 'uid-1', annotations };
  return parseRun({ apiVersion: 'tekton.dev/v1', kind, metadata, status });
}

test('a traceparent is read, and whether it is sampled', () => {
  assert.deepEqual(parseTraceParent(traceparent), parent);
  assert.deepEqual(parseTraceParent(`00-${traceId}-${spanId}-00`), { ...parent, sampled: false });
  assert.deepEqual(parseTraceParent(`00-${traceId}-${spanId}-02`), { ...parent, sampled: false });
});

test('a later version may append what is not known here', () => {
  assert.deepEqual(parseTraceParent(`01-${traceId}-${spanId}-01-more`), parent);
});

for (const [what, text] of [
  ['version 00 with more behind it', `${traceparent}-more`],
  ['the version ff', `ff-${traceId}-${spanId}-01`],
  ['capital letters', traceparent.toUpperCase()],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['a short trace id', `00-${traceId.slice(1)}-${spanId}-01`],
  ['a line break behind it', `${traceparent}\n`],
  ['spaces around it', ` ${traceparent} `],
  ['nothing', ''],
  ['very much', `01-${traceId}-${spanId}-01-${'x'.repeat(5_000)}`],
] as const) {
  test(`${what} is no traceparent`, () => assert.equal(parseTraceParent(text), undefined));
}

test('each kind has an annotation of its own, which holds a JSON object', () => {
  const carrier = JSON.stringify({ traceparent, tracestate: 'vendor=1' });
  assert.deepEqual(traceParentOf(runWith('TaskRun', { 'tekton.dev/taskrunSpanContext': carrier })), parent);
  assert.deepEqual(
    traceParentOf(runWith('PipelineRun', { 'tekton.dev/pipelinerunSpanContext': carrier })),
    parent,
  );
  assert.equal(
    traceParentOf(runWith('TaskRun', { 'tekton.dev/pipelinerunSpanContext': carrier })),
    undefined,
  );
});

test('the status counts before annotations, and the bare annotation of a PipelineRun last', () => {
  const [other, third] = [traceparent.replace('4a1c', 'ffff'), traceparent.replace('4a1c', 'eeee')];
  const annotations = {
    'tekton.dev/pipelinerunSpanContext': JSON.stringify({ traceparent: other }),
    'tekton.dev/traceparent': third,
  };
  const status = { spanContext: { traceparent } };
  assert.equal(traceParentOf(runWith('PipelineRun', annotations, status))?.traceId, traceId);
  assert.equal(traceParentOf(runWith('PipelineRun', annotations))?.traceId, `ffff${traceId.slice(4)}`);
  assert.equal(
    traceParentOf(runWith('PipelineRun', { 'tekton.dev/traceparent': third }))?.traceId,
    `eeee${traceId.slice(4)}`,
  );
  assert.equal(traceParentOf(runWith('TaskRun', { 'tekton.dev/traceparent': third })), undefined);
});

for (const [what, carrier] of [
  ['no JSON', traceparent],
  ['a list', `["${traceparent}"]`],
  ['an object without it', '{"traceParent":"x"}'],
  ['a number', '{"traceparent":1}'],
  ['more than it can be', JSON.stringify({ traceparent, tracestate: 'x'.repeat(1_000) })],
] as const) {
  test(`an annotation that holds ${what} is ignored`, () => {
    const annotations = { 'tekton.dev/taskrunSpanContext': carrier };
    assert.equal(traceParentOf(runWith('TaskRun', annotations)), undefined);
  });
}
