import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from '../../src/telemetry/logs.ts';
import { openTraces } from '../../src/telemetry/traces.ts';

const collector = 'http://127.0.0.1:1';

/** Opens traces in this environment; gives whether they are on, and what was logged. */
async function openedIn(environment: Readonly<Record<string, string>>) {
  const lines: string[] = [];
  const log = await openLog({ write: (line) => lines.push(line) });
  const traces = await openTraces(log, 'replica-1', environment);
  await traces?.close();
  return { isOn: traces !== undefined, messages: lines.map((line) => String(JSON.parse(line).message)) };
}

for (const [what, environment] of [
  ['no collector', {}],
  ['an empty address', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
  ['OTEL_SDK_DISABLED', { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SDK_DISABLED: 'TRUE' }],
  ['another exporter', { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_EXPORTER: 'console' }],
] as const) {
  test(`with ${what}, traces are off and nothing is said`, async () => {
    assert.deepEqual(await openedIn(environment), { isOn: false, messages: [] });
  });
}

for (const [what, environment] of [
  ['a collector for everything', { OTEL_EXPORTER_OTLP_ENDPOINT: collector }],
  ['a collector for traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector}/v1/traces` }],
  ['http/protobuf', { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }],
  [
    'a known sampler',
    { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' },
  ],
] as const) {
  test(`with ${what}, traces are on`, async () => {
    assert.deepEqual(await openedIn(environment), { isOn: true, messages: [] });
  });
}

for (const [environment, message] of [
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, /ENDPOINT is not an http or https URL/],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://' }, /ENDPOINT is not an http or https URL/],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    /PROTOCOL is "grpc": only http\/protobuf is supported/,
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_SAMPLER: 'sometimes' },
    /SAMPLER is "sometimes": use one of always_on/,
  ],
] as const) {
  test(`a setting that can't be used is logged and leaves them off: ${message.source}`, async () => {
    const { isOn, messages } = await openedIn(environment);
    assert.equal(isOn, false);
    assert.equal(messages.length, 1);
    assert.match(messages[0] ?? '', message);
  });
}
