import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, suite, test } from 'node:test';
import { startSandbox } from '../../sandbox/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { type Collector, type ReceivedSpan, startCollector } from '../telemetry/collector.ts';
import type { ControllerProcess } from './controller-process.ts';
import { assertNoSecrets } from './no-secrets.ts';
import { doneStatus, eventually, mark, openWorld, type World } from './world.ts';

const [traceId, spanId] = ['5be1'.repeat(8), 'c0de'.repeat(4)];
const carrier = JSON.stringify({ traceparent: `00-${traceId}-${spanId}-01` });

const onTheRun = {
  'artifacts.taskrun.format': 'in-toto',
  'artifacts.taskrun.storage': 'tekton',
  'artifacts.pipelinerun.storage': 'tekton',
};

/** The children of a span, by when they ended. */
function below(parent: ReceivedSpan | undefined, spans: readonly ReceivedSpan[]): readonly ReceivedSpan[] {
  return spans.filter(({ parentId, traceId }) => parentId === parent?.spanId && traceId === parent.traceId);
}

suite('traces of `chains controller`', () => {
  let world: World;
  let collector: Collector;
  let controller: ControllerProcess;
  before(async () => {
    world = await openWorld(await startSandbox({ life: false }));
  });
  beforeEach(() => world.configure(onTheRun));
  after(() => world.close());
  afterEach(async () => {
    await controller.end('SIGKILL');
    await collector.close();
    const sent = collector.requests.map(({ body }) => body.toString('latin1'));
    await assertNoSecrets({ secretsFolder: world.secretsFolder, token: world.cluster.token, logs: sent });
  });

  async function start(
    environment: Record<string, string> = {},
    manner?: Collector['manner'],
  ): Promise<void> {
    collector = await startCollector(manner);
    controller = world.startProcess(['--name', 'replica-1'], {
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...environment },
    });
  }

  async function signed(name: string, kind?: 'PipelineRun'): Promise<void> {
    await eventually(`${name} is signed`, async () => {
      const run = await world.run(name, kind);
      return run !== undefined && mark(run, 'signed') === 'true' ? true : undefined;
    });
  }

  const spansOf = (name: string) =>
    collector.spans.filter(({ attributes }) => attributes['chains.run.name'] === name);
  const logLines = (): readonly JsonObject[] =>
    controller
      .log()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JsonObject);

  test('a run is one span with the stages below it, in the trace of the run', async () => {
    await start({
      OTEL_SERVICE_NAME: 'chains-of-ci',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20of-the-collector',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    });
    const metadata = { annotations: { 'tekton.dev/taskrunSpanContext': carrier } };
    const { metadata: made } = await world.createRun('build', { status: doneStatus, metadata });
    await signed('build');
    await controller.end('SIGTERM');

    const [span, ...more] = spansOf('build');
    assert.deepEqual(more, []);
    assert.equal(span?.name, 'sign TaskRun');
    assert.deepEqual([span.traceId, span.parentId], [traceId, spanId]);
    assert.deepEqual(span.attributes, {
      'chains.run.kind': 'TaskRun',
      'chains.run.namespace': 'default',
      'chains.run.name': 'build',
      'chains.run.uid': (made as JsonObject)['uid'],
      'chains.attempt': 1,
      'chains.outcome': 'signed',
    });
    const stages = below(span, collector.spans);
    assert.deepEqual(
      stages.map(({ name }) => name),
      ['format', 'sign', 'store', 'mark'],
    );
    assert.ok(stages.every(({ nanoseconds, status }) => nanoseconds <= span.nanoseconds && status === 0));
    assert.deepEqual(stages[1]?.attributes, {
      'chains.stage': 'sign',
      'chains.artifact': 'taskrun',
      'chains.format': 'in-toto',
      'chains.backend': 'signer x509',
    });
    assert.equal(stages[2]?.attributes['chains.backend'], 'store tekton');
    assert.equal(collector.spans.length, 5);

    assert.equal(span.resource['service.name'], 'chains-of-ci');
    assert.equal(span.resource['service.instance.id'], 'replica-1');
    assert.equal(span.resource['deployment.environment'], 'test');
    const [request] = collector.requests;
    assert.equal(request?.path, '/v1/traces');
    assert.equal(request.headers['content-type'], 'application/x-protobuf');
    assert.equal(request.headers['authorization'], 'Bearer of-the-collector');

    const line = logLines().find(({ message, name }) => message === 'signed' && name === 'build');
    assert.equal(line?.['trace_id'], traceId);
    assert.ok(!controller.log().includes('of-the-collector'));
  });

  test('a PipelineRun that waited for its TaskRun is one span too', async () => {
    await start({ LOG_LEVEL: 'debug' });
    await world.createRun('first', { metadata: await world.ownedBy('pipeline') });
    const childReferences = [{ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name: 'first' }];
    await world.writeStatus('pipeline', { ...doneStatus, childReferences }, 'v1', 'PipelineRun');
    await eventually('it waits', async () =>
      logLines().some(({ message }) => String(message).startsWith('it waits until')) ? true : undefined,
    );
    await world.writeStatus('first', doneStatus);
    await signed('pipeline', 'PipelineRun');
    await controller.end('SIGTERM');
    const [span, ...more] = spansOf('pipeline');
    assert.deepEqual(more, []);
    assert.equal(span?.parentId, '');
    assert.deepEqual(
      below(span, collector.spans).map(({ name }) => name),
      ['gather', 'format', 'sign', 'store', 'mark'],
    );
    // What belongs to no span that was sent would be lost in the trace.
    const ids = new Set(collector.spans.map((one) => one.spanId));
    assert.ok(collector.spans.every(({ parentId }) => parentId === '' || ids.has(parentId)));
  });

  test('a trace that is not sampled is not sent', async () => {
    await start();
    const annotations = { 'tekton.dev/taskrunSpanContext': carrier.replace('-01"', '-00"') };
    await world.createRun('unsampled', { status: doneStatus, metadata: { annotations } });
    await world.createRun('sampled', { status: doneStatus });
    await Promise.all([signed('unsampled'), signed('sampled')]);
    await controller.end('SIGTERM');
    assert.equal(spansOf('sampled').length, 1);
    assert.deepEqual(spansOf('unsampled'), []);
  });

  test('OTEL_TRACES_SAMPLER decides', async () => {
    await start({ OTEL_TRACES_SAMPLER: 'always_off' });
    await world.createRun('off', { status: doneStatus });
    await signed('off');
    await controller.end('SIGTERM');
    assert.deepEqual(collector.requests, []);
  });

  test('a bad parent is ignored', async () => {
    await start();
    const annotations = { 'tekton.dev/taskrunSpanContext': '{"traceparent":"00-zz"' };
    await world.createRun('bad-parent', { status: doneStatus, metadata: { annotations } });
    await signed('bad-parent');
    await controller.end('SIGTERM');
    assert.equal(spansOf('bad-parent')[0]?.parentId, '');
  });

  test('a try that fails says in which stage and why, by codes alone', async () => {
    await start();
    await world.configure({
      ...onTheRun,
      'artifacts.taskrun.storage': 'tekton,archivista',
      'storage.archivista.url': 'http://127.0.0.1:1/secret-path',
    });
    await world.createRun('away', { status: doneStatus });
    await eventually('a try failed', async () =>
      logLines().some(({ attempt, name }) => attempt === 1 && name === 'away') ? true : undefined,
    );
    await controller.end('SIGTERM');
    const [span] = spansOf('away');
    assert.equal(span?.attributes['chains.outcome'], 'retry');
    assert.equal(span.attributes['error.type'], 'STORE_UNAVAILABLE');
    assert.equal(span.status, 2);
    const stores = below(span, collector.spans).filter(({ name }) => name === 'store');
    assert.deepEqual(
      new Map(stores.map(({ attributes }) => [attributes['chains.backend'], attributes['error.type']])),
      new Map([
        ['store archivista', 'STORE_UNAVAILABLE'],
        ['store tekton', undefined],
      ]),
    );
    assert.ok(collector.requests.every(({ body }) => !body.includes('secret-path')));
  });

  test('a collector that refuses is named once in the log, and delays nothing', async () => {
    await start({ OTEL_BSP_SCHEDULE_DELAY: '20' }, 'refuses');
    for (const name of ['refused-1', 'refused-2', 'refused-3']) {
      await world.createRun(name, { status: doneStatus });
      await signed(name);
    }
    await eventually('several requests came', async () => (collector.requests.length > 1 ? true : undefined));
    collector.manner = 'takes';
    await world.createRun('taken', { status: doneStatus });
    await eventually('it arrives', async () => (spansOf('taken').length === 1 ? true : undefined));
    await controller.end('SIGTERM');
    const lines = logLines().filter(({ message }) => String(message).startsWith('the collector'));
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['the collector does not take traces: HTTP 401', 'the collector takes traces again'],
    );
    assert.equal(logLines().filter(({ level }) => level === 'error').length, 0);
  });

  test('a collector that hangs delays neither runs nor the end', async () => {
    await start({ OTEL_BSP_SCHEDULE_DELAY: '20' }, 'hangs');
    await world.createRun('hung', { status: doneStatus });
    await signed('hung');
    await eventually('a request hangs', async () => (collector.requests.length > 0 ? true : undefined));
    const began = Date.now();
    assert.equal(await controller.end('SIGTERM'), 0);
    assert.ok(Date.now() - began < 8_000, `it took ${Date.now() - began} ms`);
  });

  test('a collector that is away stops nothing', async () => {
    await start();
    await collector.close();
    await world.createRun('alone', { status: doneStatus });
    await signed('alone');
    assert.equal(await controller.end('SIGTERM'), 0);
  });
});
