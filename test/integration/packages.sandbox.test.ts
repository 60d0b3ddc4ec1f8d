import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startSandbox } from '../../sandbox/index.ts';
import { doneStatus, eventually, mark, openWorld, type World } from './world.ts';

const hook = new URL('loaded-packages.ts', import.meta.url).href;
const stored = (storage: string) => ({
  'artifacts.taskrun.storage': storage,
  'artifacts.pipelinerun.storage': storage,
  'artifacts.oci.storage': storage,
});

/** What the controller itself is made of; OpenTelemetry's API is a part of prom-client. */
const always = [
  '@opentelemetry/api',
  '@pinojs/redact',
  'atomic-sleep',
  'bintrees',
  'commander',
  'on-exit-leak-free',
  'pino',
  'pino-std-serializers',
  'prom-client',
  'quick-format-unescaped',
  'safe-stable-stringify',
  'sonic-boom',
  'tdigest',
  'thread-stream',
  'undici',
  'valibot',
  'yaml',
];

suite('the packages that `chains controller` loads', () => {
  let world: World;
  before(async () => {
    world = await openWorld(await startSandbox({ life: false }));
  });
  after(() => world.close());

  /** Starts a controller that tells what it loads; gives what it has loaded so far. */
  function startTelling(name: string, environment: Readonly<Record<string, string>> = {}) {
    const file = join(world.folder, name);
    const telling = { LOADED_PACKAGES: file, NODE_OPTIONS: `--import=${hook}` };
    const controller = world.startProcess([], { environment: { ...telling, ...environment } });
    const loaded = async () =>
      (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    return { controller, loaded };
  }

  test("with the storage tekton, no store's SDK is among them", async () => {
    await world.configure(stored('tekton'));
    await world.createRun('build', { status: doneStatus });
    const { controller, loaded } = startTelling('tekton');
    await eventually('the run is signed', async () => {
      const run = await world.run('build');
      return run !== undefined && mark(run, 'signed') === 'true' ? true : undefined;
    });
    await controller.end('SIGTERM');
    assert.deepEqual((await loaded()).toSorted(), always);
  });

  test("OpenTelemetry's SDK is among them where a collector is named, and not where traces are turned off", async () => {
    await world.configure(stored('tekton'));
    for (const [name, variables, isLoaded] of [
      ['traced', {}, true],
      ['disabled', { OTEL_SDK_DISABLED: 'true' }, false],
      ['no-exporter', { OTEL_TRACES_EXPORTER: 'none' }, false],
    ] as const) {
      const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', ...variables };
      const { controller, loaded } = startTelling(name, environment);
      await eventually('it has started', async () =>
        controller.log().includes('"message":"started"') ? true : undefined,
      );
      await controller.end('SIGTERM');
      const ofOtel = (await loaded()).filter((one) => one.startsWith('@opentelemetry/'));
      const expected = ['@opentelemetry/exporter-trace-otlp-proto', '@opentelemetry/sdk-trace-base'];
      assert.deepEqual(
        expected.map((one) => ofOtel.includes(one)),
        [isLoaded, isLoaded],
      );
      if (!isLoaded) assert.deepEqual(ofOtel, ['@opentelemetry/api']);
    }
  });

  for (const [storage, settings, sdk] of [
    ['gcs', { 'storage.gcs.bucket': 'chains' }, 'google-auth-library'],
    [
      'docdb',
      { 'storage.docdb.url': 'mongo://ci/chains', 'storage.docdb.mongo-server-url': 'mongodb://127.0.0.1:1' },
      'mongodb',
    ],
    ['docdb', { 'storage.docdb.url': 'dynamodb://chains?partition_key=name' }, '@aws-sdk/client-dynamodb'],
    [
      'docdb',
      { 'storage.docdb.url': 'firestore://projects/p/databases/d/documents/c?name_field=name' },
      'google-auth-library',
    ],
  ] as const) {
    test(`with ${Object.values(settings)[0]}, ${sdk} is, and no other store's`, async () => {
      await world.configure({ ...stored(storage), ...settings });
      const { controller, loaded } = startTelling(`${sdk.replace('/', '-')}-${storage}`);
      await eventually(`${sdk} is loaded`, async () => ((await loaded()).includes(sdk) ? true : undefined));
      await controller.end('SIGTERM');
      const sdks = ['google-auth-library', 'mongodb', '@aws-sdk/client-dynamodb'];
      assert.deepEqual(
        (await loaded()).filter((name) => sdks.includes(name)),
        [sdk],
      );
    });
  }
});
