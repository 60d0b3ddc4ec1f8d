import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { openGcsStore } from '../../src/store/gcs/index.ts';
import { createGcs } from '../doubles/gcs.ts';
import { openGate } from '../doubles/gate.ts';
import { startGoogle } from '../doubles/google-front.ts';
import { taskRun } from '../runs.ts';
import { pkcs8, secretsWith } from '../sign/keys.ts';
import { assertSigned, signedEntry } from './named-entries.ts';
import { withEnvironment } from '../sign/kms/environment.ts';
import { gcsSuite, isPiece, openBucket } from './gcs.suite.ts';

const scopes = [
  'https://www.googleapis.com/auth/devstorage.read_write',
  'https://www.googleapis.com/auth/devstorage.full_control',
  'https://www.googleapis.com/auth/cloud-platform',
];

async function startDouble() {
  const double = createGcs(['chains']);
  const google = await startGoogle('storage.googleapis.com', scopes, double.respond);
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = await google.account('everything');
  const objects = double.buckets.get('chains');
  assert.ok(objects);
  return { double, google, objects };
}

gcsSuite('the double', async () => {
  const { google, objects } = await startDouble();
  return {
    gate: google.service,
    read: async (name) => objects.get(name),
    list: async (prefix) => [...objects.keys()].filter((name) => name.startsWith(prefix)),
    close: google.close,
  };
});

// fake-gcs-server takes the question how much it has for the end of the upload.
test('an upload in pieces that is interrupted continues where the service stands', async (context) => {
  const { google, objects } = await startDouble();
  context.after(google.close);
  const store = await openBucket('chains');
  context.after(() => store.close?.());
  for (const happens of ['breaks', 'breaks after it is done', { status: 503 }] as const) {
    objects.clear();
    google.service.requests.length = 0;
    google.service.trouble = { happens, times: 1, when: (request) => isPiece(request) };
    const text = 'x'.repeat(9 * 1024 * 1024);
    const entry = await signedEntry('taskrun', 'tekton', { name: 'interrupted', text });
    await store.store(entry);
    const stored = (end: string) =>
      objects.get(`taskrun-ci-interrupted/taskrun-uid-interrupted.${end}`)?.bytes;
    assertSigned(stored('payload'), stored('signature'), false);
    const pieces = google.service.requests.filter(isPiece).length;
    assert.equal(pieces, happens === 'breaks after it is done' ? 2 : 3);
  }
});

test('an upload in pieces that gets nowhere ends', async (context) => {
  const { google } = await startDouble();
  context.after(google.close);
  const store = await openBucket('chains');
  context.after(() => store.close?.());
  const text = 'x'.repeat(6 * 1024 * 1024);
  const entry = await signedEntry('taskrun', 'tekton', { name: 'nowhere', text });
  for (const happens of [{ status: 308 }, { status: 503 }]) {
    google.service.trouble = { happens, times: 100, when: ({ method }) => method === 'PUT' };
    await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE' });
  }
});

test('an account that may not, an account that is none and no account at all are STORE_REFUSED', async (context) => {
  const { google } = await startDouble();
  context.after(google.close);
  const entry = await signedEntry('taskrun', 'tekton', { name: 'refused' });
  for (const [file, message] of [
    [await google.account('nothing'), /PERMISSION_DENIED/],
    ['/nowhere.json', /\/nowhere\.json.*GOOGLE_APPLICATION_CREDENTIALS/],
  ] as const) {
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
    const store = await openBucket('chains');
    await assert.rejects(store.store(entry), { code: 'STORE_REFUSED', terminal: false, message });
    await store.close?.();
  }
});

test('a token that is refused and a token server that is down are distinguished', async (context) => {
  const { google } = await startDouble();
  context.after(google.close);
  const entry = await signedEntry('taskrun', 'tekton', { name: 'tokens' });
  for (const [happens, code] of [
    [{ status: 400, json: { error: 'invalid_grant' } }, 'STORE_REFUSED'],
    ['hangs', 'STORE_UNAVAILABLE'],
    [{ status: 503 }, 'STORE_UNAVAILABLE'],
  ] as const) {
    google.tokens.trouble = { happens, times: 10 };
    const store = await openBucket('chains', { timeout: 800 });
    await assert.rejects(store.store(entry), { code });
    google.tokens.trouble = undefined;
    await store.store(entry);
    await store.close?.();
  }
});

for (const [size, name] of [
  [10, 'in one request'],
  [6 * 1024 * 1024, 'in pieces'],
] as const) {
  test(`an upload ${name} changes nothing that somebody else has written since it was looked at`, async (context) => {
    const { google, objects } = await startDouble();
    context.after(google.close);
    const store = await openBucket('chains');
    context.after(() => store.close?.());
    const object = 'taskrun-ci-late/taskrun-uid-late.payload';
    const foreign = { bytes: Buffer.from("somebody else's"), generation: '99' };
    google.service.trouble = {
      happens: 'breaks',
      times: 1,
      when: ({ method }) => {
        if (method !== 'GET') objects.set(object, foreign);
        return false;
      },
    };
    const entry = await signedEntry('taskrun', 'tekton', { name: 'late', text: 'x'.repeat(size) });
    await assert.rejects(store.store(entry), {
      code: 'STORE_UNAVAILABLE',
      message: /another writer changed it/,
    });
    assert.deepEqual([...objects], [[object, foreign]]);
  });
}

test('after a token was refused, the credentials are read again', async (context) => {
  const { google } = await startDouble();
  context.after(google.close);
  const store = await openBucket('chains');
  context.after(() => store.close?.());
  await store.store(await signedEntry('taskrun', 'tekton', { name: 'before' }));
  const entry = await signedEntry('taskrun', 'tekton', { name: 'after' });
  google.service.trouble = { happens: { status: 401 }, times: 2 };
  await assert.rejects(store.store(entry), { code: 'STORE_REFUSED', status: 401, hint: /objectUser/ });
  const tokens = google.tokens.requests.length;
  await store.store(entry);
  assert.ok(google.tokens.requests.length > tokens);
});

test('what is damaged on its way is refused and not stored', async (context) => {
  const double = createGcs(['chains']);
  const gate = await openGate((request) =>
    double.respond({
      ...request,
      body: Buffer.from(request.body.toString('latin1').replace('Succeeded', 'succeeded'), 'latin1'),
    }),
  );
  context.after(gate.close);
  const entry = await signedEntry('taskrun', 'tekton', { name: 'damaged' });
  await withEnvironment({ STORAGE_EMULATOR_HOST: gate.url }, async () => {
    const store = await openBucket('chains');
    await assert.rejects(store.store(entry), { message: /Provided CRC32C/ });
    await store.close?.();
  });
  assert.equal(double.buckets.get('chains')?.size, 0);
});

test('an answer with another checksum is not a success', async (context) => {
  const { double, google } = await startDouble();
  context.after(google.close);
  const store = await openBucket('chains');
  context.after(() => store.close?.());
  double.damaged = true;
  const entry = await signedEntry('taskrun', 'tekton', { name: 'damaged' });
  await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE', message: /CRC32C/ });
});

test("by the ConfigMap's names: what one store refuses is reported, and the others have it", async (context) => {
  const { google, objects } = await startDouble();
  context.after(google.close);
  const { privateKey } = generateKeyPairSync('ed25519');
  const { config } = parseConfig({
    'artifacts.taskrun.storage': 'tekton,gcs,docdb',
    'storage.gcs.bucket': 'chains',
    'storage.docdb.url': 'mongo://ci/chains',
    'storage.docdb.mongo-server-url-path': '/nowhere',
  });
  const pipeline = openPipeline({ config, secrets: secretsWith({ 'x509.pem': pkcs8(privateKey) }) });
  context.after(() => pipeline.close());
  const { annotations, failures } = await pipeline.process(taskRun({}));
  assert.ok(annotations['chains.tekton.dev/signature-taskrun']);
  assert.equal(objects.size, 2);
  assert.deepEqual(
    failures.map(({ stage, error }) => [stage, error.code]),
    [['storage', 'STORE_REFUSED']],
  );
});

test('without a bucket the store is CONFIG_INVALID', async () => {
  await assert.rejects(openGcsStore(parseConfig({}).config), {
    code: 'CONFIG_INVALID',
    message: /storage\.gcs\.bucket/,
  });
});
