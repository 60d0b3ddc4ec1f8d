import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSandbox } from '../../sandbox/index.ts';
import { doneStatus, eventually, mark, openWorld } from '../integration/world.ts';
import { freePorts, start } from './process.ts';
import { tool } from './tools.ts';

const [traceId, spanId] = ['6f0a'.repeat(8), 'd1ce'.repeat(4)];

/** The configuration of a collector that prints all that it takes. */
function printing(port: number): string {
  const http = { endpoint: `127.0.0.1:${port}` };
  return JSON.stringify({
    receivers: { otlp: { protocols: { http } } },
    exporters: { debug: { verbosity: 'detailed' } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['debug'] } },
    },
  });
}

/** The spans that a collector printed: what stands behind `Name`, `ID` and so on in each. */
function spansIn(output: string): readonly Readonly<Record<string, string>>[] {
  return output
    .split(/^Span #\d+$/m)
    .slice(1)
    .map((text) =>
      Object.fromEntries(
        [...text.matchAll(/^ +(?:-> )?([\w. ]+?) *: (.*)$/gm)].map(([, name = '', value = '']) => [
          name,
          value,
        ]),
      ),
    );
}

test("OpenTelemetry's own collector takes the spans of a run", { timeout: 120_000 }, async (context) => {
  const [port = 0] = await freePorts(1);
  const collector = start(tool('otelcol'), [`--config=yaml:${printing(port)}`]);
  context.after(() => collector.stop());
  await collector.printed(/Everything is ready/);
  const world = await openWorld(await startSandbox({ life: false }));
  context.after(() => world.close());
  await world.configure({ 'artifacts.taskrun.storage': 'tekton' });
  const controller = world.startProcess([], {
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
  });
  const annotation = JSON.stringify({ traceparent: `00-${traceId}-${spanId}-01` });
  const metadata = { annotations: { 'tekton.dev/taskrunSpanContext': annotation } };
  await world.createRun('build', { status: doneStatus, metadata });
  await eventually('the run is signed', async () => {
    const run = await world.run('build');
    return run !== undefined && mark(run, 'signed') === 'true' ? true : undefined;
  });
  await controller.end('SIGTERM');
  await collector.stop();

  const spans = spansIn(collector.output());
  assert.deepEqual(spans.map((span) => String(span['Name'])).toSorted(), [
    'format',
    'mark',
    'sign',
    'sign TaskRun',
    'store',
  ]);
  const root = spans.find((span) => span['Name'] === 'sign TaskRun');
  assert.equal(root?.['Trace ID'], traceId);
  assert.equal(root['Parent ID'], spanId);
  assert.equal(root['chains.outcome'], 'Str(signed)');
  for (const span of spans.filter((one) => one !== root)) {
    assert.equal(span['Trace ID'], traceId);
    assert.equal(span['Parent ID'], root['ID']);
  }
});
