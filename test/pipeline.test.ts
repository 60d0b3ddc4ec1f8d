import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test, type TestContext } from 'node:test';
import { parseConfig } from '../src/config/parse.ts';
import { ChainsError } from '../src/errors.ts';
import { openPipeline } from '../src/pipeline.ts';
import { portOf } from '../sandbox/port.ts';
import { startRegistry } from '../sandbox/registry/index.ts';
import { startArchivista } from './doubles/archivista.ts';
import { eventually } from './integration/world.ts';
import { digest, taskRunWith } from './runs.ts';
import { newKey, RepositoryView } from './store/oci/world.ts';
import { pkcs8, secretsWith } from './sign/keys.ts';
import { recordTraces } from './telemetry/recorded-spans.ts';

/** A run that built an image, and a pipeline that keeps its provenance in a registry, in Archivista and on the run. */
async function threeStores(context: TestContext) {
  const [registry, archivista] = await Promise.all([startRegistry(), startArchivista()]);
  context.after(() => Promise.all([registry.close(), archivista.close()]));
  const app = new RepositoryView(registry, 'acme/app');
  const image = await app.pushImage('an image');
  const data = {
    'artifacts.taskrun.format': 'in-toto',
    'artifacts.taskrun.storage': 'oci,archivista,tekton',
    'artifacts.oci.storage': 'oci',
    'storage.archivista.url': archivista.url,
  };
  const { config } = parseConfig(data);
  const secrets = secretsWith({ 'x509.pem': pkcs8(newKey().privateKey) });
  const steps: string[] = [];
  const pipeline = openPipeline({
    config,
    secrets,
    listener: (step, { kind }) => steps.push(`${kind} ${step}`),
  });
  context.after(() => pipeline.close());
  const uploads = () => archivista.requests.filter(({ url }) => url.pathname.endsWith('/upload')).length;
  return {
    registry,
    archivista,
    app,
    image,
    pipeline,
    steps,
    uploads,
    run: taskRunWith([['IMAGES', image]]),
  };
}

test('a failing store does not stop the others, and the next try only stores what is missing', async (context) => {
  const { registry, archivista, app, image, pipeline, steps, uploads, run } = await threeStores(context);
  registry.faults.add({ kind: 'status', code: 503 });
  const first = await pipeline.process(run);
  assert.deepEqual(
    first.failures.map(({ artifact, error }) => [artifact.kind, error.code]),
    [
      ['taskrun', 'STORE_UNAVAILABLE'],
      ['oci', 'STORE_UNAVAILABLE'],
    ],
  );
  assert.equal(archivista.envelopes.size, 1);
  assert.equal(uploads(), 1);
  registry.faults.clear();
  const second = await pipeline.process(run, { earlier: first.progress });
  assert.deepEqual(second.failures, []);
  assert.equal(uploads(), 1);
  assert.equal(steps.filter((step) => step.endsWith('signed')).length, 2);
  // The signature that one store took in the first try is the one that the others have.
  const [envelope] = archivista.envelopes.values();
  const [attestation] = await app.layers(image, 'att');
  assert.deepEqual(await app.blob(attestation?.digest ?? ''), envelope);
  const annotation = second.annotations['chains.tekton.dev/signature-taskrun-uid-1'] ?? '';
  assert.deepEqual(Buffer.from(annotation, 'base64'), envelope);
});

test('each stage is a span: what was done for which artifact by what, and the code of what failed', async (context) => {
  const { registry, pipeline, run } = await threeStores(context);
  registry.faults.add({ kind: 'status', code: 503 });
  const { root, ended } = recordTraces();
  await pipeline.process(run, { span: root });
  const host = `store oci at ${registry.host}`;
  const [ofRun, ofImage] = [{ artifact: 'taskrun' }, { artifact: 'oci' }] as const;
  const byText = (spans: readonly object[]) => spans.map((span) => JSON.stringify(span)).toSorted();
  assert.deepEqual(
    byText(ended),
    byText([
      { path: 'run/format' },
      { path: 'run/sign', ...ofRun, format: 'in-toto', backend: 'signer x509' },
      { path: 'run/sign', ...ofImage, format: 'simplesigning', backend: 'signer x509' },
      { path: 'run/store', ...ofRun, backend: 'store archivista' },
      { path: 'run/store', ...ofRun, backend: 'store tekton' },
      { path: 'run/store', ...ofRun, backend: host, error: 'STORE_UNAVAILABLE' },
      { path: 'run/store', ...ofImage, backend: host, error: 'STORE_UNAVAILABLE' },
    ]),
  );
});

test('a payload that can not be made gives the span of formatting its code', async (context) => {
  const { pipeline, run } = await threeStores(context);
  const { root, ended } = recordTraces();
  await pipeline.process({ ...run, object: { ...run.object, spec: 'none' } }, { span: root });
  assert.deepEqual(
    ended.find(({ path }) => path === 'run/format'),
    { path: 'run/format', error: 'RUN_UNREADABLE' },
  );
});

test('another configuration and another run start again', async (context) => {
  const { pipeline, uploads, run } = await threeStores(context);
  const { progress } = await pipeline.process(run);
  assert.equal(uploads(), 1);
  await pipeline.process(run, { earlier: { ...progress, config: {} } });
  await pipeline.process(run, { earlier: { ...progress, uid: 'uid-2' } });
  // Each time Archivista says that it has an envelope of this payload by this key.
  assert.equal((await pipeline.process(run, { earlier: progress })).failures.length, 0);
});

test('a store that ignores the signal delays nothing, and the next try signs nothing again', async (context) => {
  const [registry, archivista] = await Promise.all([
    startRegistry({ guard: { scheme: 'basic', users: [{ name: 'robot', password: 'of-robot' }] } }),
    startArchivista(),
  ]);
  context.after(() => Promise.all([registry.close(), archivista.close()]));
  const { config } = parseConfig({
    'artifacts.taskrun.format': 'in-toto',
    'artifacts.taskrun.storage': 'oci,archivista',
    'artifacts.oci.storage': 'oci',
    'storage.archivista.url': archivista.url,
  });
  const image = `${registry.host}/acme/app@${digest('1')}`;
  const auths = { [registry.host]: { username: 'robot', password: 'of-robot' } };
  const secret = {
    name: 'ci/robot',
    type: 'kubernetes.io/dockerconfigjson',
    text: JSON.stringify({ auths }),
  } as const;
  const steps: string[] = [];
  const asked = Promise.withResolvers<undefined>();
  const late = Promise.withResolvers<readonly (typeof secret)[]>();
  let isHanging = true;
  const pipeline = openPipeline({
    config,
    secrets: secretsWith({ 'x509.pem': pkcs8(newKey().privateKey) }),
    access: {
      registrySecrets() {
        asked.resolve(undefined);
        return isHanging ? late.promise : Promise.resolve([secret]);
      },
    },
    listener: (step, { kind }) => steps.push(`${kind} ${step}`),
  });
  context.after(() => pipeline.close());
  const run = taskRunWith([['IMAGES', image]]);
  const ends = new AbortController();
  const processing = pipeline.process(run, { signal: ends.signal });
  await asked.promise;
  await eventually('the other store has it', () => (archivista.envelopes.size === 1 ? true : undefined));
  ends.abort(new ChainsError('TRY_ENDED', 'time is up'));
  const first = await processing;
  assert.deepEqual(
    first.failures.map(({ artifact, error }) => [artifact.kind, error.code]),
    [
      ['taskrun', 'TRY_ENDED'],
      ['oci', 'TRY_ENDED'],
    ],
  );
  // What was hanging goes on now, and finds that its time is over.
  late.resolve([secret]);
  isHanging = false;
  const second = await pipeline.process(run, { earlier: first.progress });
  assert.deepEqual(second.failures, []);
  assert.deepEqual(
    steps.filter((step) => step.endsWith('signed')),
    ['taskrun signed', 'oci signed'],
  );
});

test('after an unreadable log entry, the next try confirms the signature that was made last', async (context) => {
  const uploads: string[] = [];
  /** A log of version 2 that has the first signature already, shows no entries, and then doesn't answer. */
  const log = createServer((request, response) => {
    let body = '';
    request.on('data', (text) => (body += String(text)));
    request.on('end', () => {
      if (request.method === 'POST') uploads.push(body);
      const status = request.method === 'GET' ? 404 : uploads.length === 1 ? 409 : 503;
      response.writeHead(status, status === 409 ? { 'x-log-index': '5' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => log.listen(0, '127.0.0.1', resolve));
  context.after(() => log.close());
  const url = `http://127.0.0.1:${portOf(log.address())}`;
  const { config } = parseConfig({
    'artifacts.taskrun.format': 'in-toto',
    'transparency.enabled': 'true',
    'transparency.url': url,
    'transparency.api': 'v2',
    'transparency.tsa.url': url,
  });
  const pipeline = openPipeline({
    // Timestamps come before the log and are not what this is about.
    config: { ...config, 'transparency.tsa.url': undefined },
    secrets: secretsWith({ 'x509.pem': pkcs8(newKey().privateKey) }),
  });
  context.after(() => pipeline.close());
  const run = taskRunWith([]);
  const first = await pipeline.process(run);
  const second = await pipeline.process(run, { earlier: first.progress });
  for (const { failures } of [first, second])
    assert.deepEqual(
      failures.map(({ error }) => error.code),
      ['WITNESS_UNAVAILABLE'],
    );
  assert.equal(uploads.length, 3);
  assert.notEqual(uploads[1], uploads[0]);
  assert.equal(uploads[2], uploads[1]);
});
