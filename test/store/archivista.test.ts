import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { verify } from '../../src/index.ts';
import type { Envelope } from '../../src/keys/dsse.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { stores } from '../../src/store/index.ts';
import { openArchivistaStore } from '../../src/store/archivista.ts';
import { type Archivista, startArchivista } from '../doubles/archivista.ts';
import { firstly, type Request } from '../doubles/web.ts';
import { taskRunWith } from '../runs.ts';
import { pkcs8, secretsWith } from '../sign/keys.ts';
import { assertVerifies, combinations, image, signedArtifact } from './entries.ts';

const provenance = { kind: 'taskrun', format: 'slsa/v1' } as const;

async function start(context: TestContext, options?: { timeout: number }) {
  const archivista = await startArchivista();
  const { config } = parseConfig({ 'storage.archivista.url': `${archivista.url}/` });
  const store = await openArchivistaStore(config, options);
  context.after(async () => {
    await store.close?.();
    await archivista.close();
  });
  return { archivista, store };
}

const isUpload = ({ url }: Request) => url.pathname === '/upload';
const uploads = ({ requests }: Archivista) => requests.filter(isUpload).length;

async function download(archivista: Archivista): Promise<Buffer> {
  const [gitoid] = archivista.envelopes.keys();
  const answer = await fetch(`${archivista.url}/download/${gitoid}`);
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

for (const wanted of combinations) {
  const name = `${wanted.kind} in ${wanted.format}`;
  const fits = wanted.kind !== 'oci' && wanted.format !== 'tekton';
  test(`${name} ${fits ? 'is read back and verifies' : 'has no envelope: the error names the key'}`, async (context) => {
    const { archivista, store } = await start(context);
    const entry = await signedArtifact(wanted);
    if (fits) {
      assert.deepEqual(await store.store(entry), {});
      assertVerifies(entry, await download(archivista));
      return;
    }
    await assert.rejects(store.store(entry), {
      code: 'CONFIG_INVALID',
      terminal: true,
      message: new RegExp(`^artifacts\\.${wanted.kind}\\.format .* artifacts\\.${wanted.kind}\\.storage$`),
    });
    assert.equal(archivista.requests.length, 0);
  });
}

test('a run is verified by the envelopes that name what it built, whoever put others there', async (context) => {
  const { archivista, store } = await start(context);
  const entry = await signedArtifact({ kind: 'taskrun', format: 'slsa/v2alpha3' });
  const { key } = entry.artifact;
  const failures = async (object: unknown = entry.artifact.run.object) => {
    const keys = [entry.signature.key.publicKey];
    const config = { 'storage.archivista.url': archivista.url };
    const { checks } = await verify({ run: object, keys, stores: ['archivista'], config });
    return checks.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);
  };
  assert.match(
    (await failures())[0] ?? '',
    new RegExp(`${key} stored: nothing is stored at http\\S+, among`),
  );
  await store.store(await signedArtifact({ ...provenance, key: 'RSA' }));
  assert.match((await failures())[0] ?? '', new RegExp(`${key} signature`));
  await store.store(entry);
  assert.deepEqual(await failures(), []);
  const gitoid = [...archivista.envelopes.keys()].at(-1) ?? assert.fail();
  const envelope = JSON.parse(String(archivista.envelopes.get(gitoid)));
  archivista.envelopes.set(gitoid, Buffer.from(JSON.stringify({ ...envelope, payloadType: 'text' })));
  assert.match((await failures())[0] ?? '', new RegExp(`${key} signature`));
  archivista.trouble = firstly({
    status: 200,
    json: { data: null, errors: [{ message: 'database is gone' }] },
  });
  await assert.rejects(failures(), { code: 'STORE_UNAVAILABLE', message: /search http\S+ for envelopes/ });
  const edges = [{ node: { gitoidSha256: { toString: 'x' } } }];
  archivista.trouble = firstly({ status: 200, json: { data: { dsses: { edges } } } });
  await assert.rejects(failures(), { code: 'STORE_UNAVAILABLE', message: /an envelope without its gitoid/ });
  const { status: _, ...without } = entry.artifact.run.object;
  assert.deepEqual(await failures(without), [
    'archivista stored: the run names nothing that it built, and this store files the entries of a run under that',
  ]);
});

test('an envelope that is sent again is there once, with GraphQL or without', async (context) => {
  const { archivista, store } = await start(context);
  const entry = await signedArtifact(provenance);
  archivista.graphql = false;
  await store.store(entry);
  await store.store(entry);
  assert.equal(uploads(archivista), 2);
  archivista.graphql = true;
  await store.store(entry);
  assert.deepEqual([uploads(archivista), archivista.envelopes.size], [2, 1]);
});

for (const key of ['ECDSA P-256', 'ECDSA P-384', 'Ed25519', 'RSA']) {
  test(`signed again with the same key (${key}), nothing is added; with another one, one is`, async (context) => {
    const { archivista, store } = await start(context);
    await store.store(await signedArtifact({ ...provenance, key }));
    await store.store(await signedArtifact({ ...provenance, key }));
    assert.equal(archivista.envelopes.size, 1);
    await store.store(await signedArtifact({ ...provenance, key: 'ECDSA P-521' }));
    assert.equal(archivista.envelopes.size, 2);
  });
}

test("an envelope that somebody else wrote under our key's name is ignored", async (context) => {
  const { archivista, store } = await start(context);
  const entry = await signedArtifact(provenance);
  const envelope: Envelope = JSON.parse(Buffer.from(entry.signature.bytes).toString('utf8'));
  const signatures = envelope.signatures.map(({ keyid }) => ({ keyid, sig: btoa('forged') }));
  const body = JSON.stringify({ ...envelope, signatures });
  await fetch(`${archivista.url}/upload`, { method: 'POST', body });
  await store.store(entry);
  assert.equal(archivista.envelopes.size, 2);
});

test('a GraphQL that is closed to us, or of another version, is not a hindrance', async (context) => {
  const { archivista, store } = await start(context);
  for (const [key, status] of [
    ['RSA', 403],
    ['Ed25519', 422],
  ] as const) {
    archivista.trouble = firstly({ status, json: { errors: [] } });
    await store.store(await signedArtifact({ ...provenance, key }));
  }
  assert.equal(archivista.envelopes.size, 2);
});

test('an answer that confirms something else is refused', async (context) => {
  const { archivista, store } = await start(context);
  const entry = await signedArtifact(provenance);
  for (const answer of [
    { status: 200, json: { gitoid: '0'.repeat(64) } },
    { status: 200, text: '<html>welcome</html>' },
    { status: 204 },
  ]) {
    archivista.trouble = firstly(answer, 1, isUpload);
    await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE', message: /does not confirm/ });
  }
  await store.store(entry);
});

test('what Archivista says about a failure is reported, and the next try goes well', async (context) => {
  const { archivista, store } = await start(context);
  const entry = await signedArtifact(provenance);
  const cases = [
    [
      { status: 401, text: 'who are you?' },
      { code: 'STORE_REFUSED', message: /: 401 who are you\?$/ },
    ],
    [{ status: 403 }, { code: 'STORE_REFUSED', status: 403 }],
    [
      { status: 404, text: '404 page not found' },
      { code: 'STORE_REFUSED', message: /\/upload: 404/ },
    ],
    [
      { status: 413, text: 'too large' },
      { code: 'PAYLOAD_TOO_LARGE', terminal: true },
    ],
    [
      { status: 500, text: 'database is locked' },
      { code: 'STORE_UNAVAILABLE', message: /locked/ },
    ],
    [
      { status: 429, headers: { 'retry-after': '7' } },
      { code: 'STORE_UNAVAILABLE', retryAfter: 7_000 },
    ],
    ['hang up', { code: 'STORE_UNAVAILABLE', message: /no answer/ }],
  ] as const;
  for (const [give, expected] of cases) {
    archivista.trouble = firstly(give, 1, isUpload);
    await assert.rejects(store.store(entry), expected);
  }
  await store.store(entry);
  assert.equal(archivista.envelopes.size, 1);
});

test('a server that never answers is given up, and so is one that is waited for no longer', async (context) => {
  const { archivista, store } = await start(context, { timeout: 200 });
  const entry = await signedArtifact(provenance);
  archivista.trouble = () => 'hang';
  await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE', message: /within 0\.2 s$/ });
  const reason = new Error('stopped');
  await assert.rejects(store.store(entry, AbortSignal.abort(reason)), reason);
});

test('a payload of 1 MiB is stored', async (context) => {
  const { archivista, store } = await start(context);
  const entry = await signedArtifact({ ...provenance, padding: 1024 * 1024 });
  await store.store(entry);
  assertVerifies(entry, await download(archivista));
});

test('without storage.archivista.url it does not open', async () => {
  const open = await stores.archivista();
  await assert.rejects(open(parseConfig({}).config), {
    code: 'CONFIG_INVALID',
    message: /^storage\.archivista\.url is not set/,
  });
});

test("a run's provenance lands there; its image, which has no envelope, is reported too", async (context) => {
  const { archivista } = await start(context);
  const { config } = parseConfig({
    'artifacts.taskrun.format': 'in-toto',
    'artifacts.taskrun.storage': 'archivista',
    'artifacts.oci.storage': 'archivista',
    'storage.archivista.url': archivista.url,
  });
  const pem = pkcs8(generateKeyPairSync('ed25519').privateKey);
  const pipeline = openPipeline({ config, secrets: secretsWith({ 'x509.pem': pem }) });
  context.after(() => pipeline.close());
  const states = await pipeline.check(['taskrun', 'oci']);
  assert.deepEqual(
    states.filter(({ error }) => error !== undefined),
    [],
  );
  const { signed, failures } = await pipeline.process(taskRunWith([['IMAGES', image]]));
  assert.deepEqual(signed, ['taskrun-uid-1']);
  assert.deepEqual(
    failures.map(({ artifact, stage, error }) => [artifact.kind, stage, error.code]),
    [['oci', 'storage', 'CONFIG_INVALID']],
  );
  assert.equal(archivista.envelopes.size, 1);
});
