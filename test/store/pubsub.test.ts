import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { stores } from '../../src/store/index.ts';
import { kafkaRecord } from '../../src/store/pubsub/kafka.ts';
import { messageFor } from '../../src/store/pubsub/topic.ts';
import { atApi } from '../doubles/google.ts';
import { startPubsub, startPubsubEmulator } from '../doubles/pubsub.ts';
import { combinations, signedArtifact } from './entries.ts';
import { openStore, pubsubSuite } from './pubsub.suite.ts';

const gcp = { 'storage.pubsub.provider': 'gcp', 'storage.pubsub.topic': 'projects/acme/topics/chains' };
const kafka = { 'storage.pubsub.provider': 'kafka', 'storage.pubsub.topic': 'chains' };
const servers = 'storage.pubsub.kafka.bootstrap.servers';
const signature = { kind: 'oci', format: 'simplesigning' } as const;

/** Attributes are texts of up to 1024 bytes. */
function attributes({ payload, signature: { bytes } }: SignedArtifact): Readonly<Record<string, Buffer>> {
  const given = {
    payload: Buffer.from(payload.bytes).toString('base64'),
    signature: Buffer.from(bytes).toString(isUtf8(bytes) ? 'utf8' : 'base64'),
  };
  const kept = Object.entries(given).filter(([, value]) => value.length <= 1_024);
  return Object.fromEntries(kept.map(([name, value]) => [name, Buffer.from(value)]));
}

async function startEmulator() {
  const emulator = await startPubsubEmulator();
  process.env['PUBSUB_EMULATOR_HOST'] = `127.0.0.1:${emulator.port}`;
  return {
    settings: gcp,
    noTopic: 'projects/acme/topics/none',
    async delivered() {
      const messages = emulator.topics.get(gcp['storage.pubsub.topic'])?.splice(0) ?? [];
      return messages.map(({ data, attributes: given }) => ({
        body: data,
        metadata: Object.fromEntries(
          Object.entries(given).map(([name, value]) => [name, Buffer.from(value)]),
        ),
      }));
    },
    async close() {
      delete process.env['PUBSUB_EMULATOR_HOST'];
      await emulator.close();
    },
  };
}

pubsubSuite({
  name: 'gcp, on an emulator',
  start: startEmulator,
  metadata: attributes,
  tooLarge: {
    padding: 8_000_000,
    message: /Pub\/Sub allows 10000000 for a message: .*artifacts\.taskrun\.storage/,
  },
});

test("published with an access token for Pub/Sub, to a topic by its full name or by its name in the credential's project", async (context) => {
  const { pubsub, store } = await start(context);
  const entry = await signedArtifact(signature);
  await store.store(entry);
  const inProject = await openStore({ ...gcp, 'storage.pubsub.topic': 'chains' });
  context.after(() => inProject.close?.());
  await inProject.store(entry);
  const messages = pubsub.topics.get(gcp['storage.pubsub.topic']) ?? [];
  assert.deepEqual(
    messages.map(({ data }) => data),
    [entry, entry].map(({ signature: { bytes } }) => Buffer.from(bytes)),
  );
  assert.ok(pubsub.requests.every(({ url }) => /^(oauth2|pubsub)\.googleapis\.com$/.test(url.hostname)));
});

test('a topic without a project needs one from somewhere, and says what to write', async (context) => {
  await start(context);
  const emulator = await startPubsubEmulator();
  context.after(() => emulator.close());
  Object.assign(process.env, {
    PUBSUB_EMULATOR_HOST: '127.0.0.1:1',
    HOME: '/nowhere',
    PATH: '',
    METADATA_SERVER_DETECTION: 'none',
  });
  delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  const store = await openStore({ ...gcp, 'storage.pubsub.topic': 'chains' });
  context.after(() => store.close?.());
  await assert.rejects(store.store(await signedArtifact(signature)), {
    code: 'STORE_REFUSED',
    terminal: false,
    message: /^storage\.pubsub\.topic is `chains`.*write projects\/PROJECT\/topics\/chains$/,
  });
  process.env['GOOGLE_CLOUD_PROJECT'] = 'acme';
  process.env['PUBSUB_EMULATOR_HOST'] = `127.0.0.1:${emulator.port}`;
  const found = await openStore({ ...gcp, 'storage.pubsub.topic': 'chains' });
  context.after(() => found.close?.());
  await found.store(await signedArtifact(signature));
  assert.equal(emulator.topics.get(gcp['storage.pubsub.topic'])?.length, 1);
});

test('credentials that are wrong or may not publish are refused; with better ones it goes well', async (context) => {
  const { pubsub } = await start(context);
  const entry = await signedArtifact(signature);
  const open = async () => {
    const store = await openStore(gcp);
    context.after(() => store.close?.());
    return store;
  };
  await pubsub.signInAs('stranger');
  await assert.rejects((await open()).store(entry), { code: 'STORE_REFUSED', message: /access token/ });
  await pubsub.signInAs('reader');
  await assert.rejects((await open()).store(entry), { code: 'STORE_REFUSED', status: 403 });
  await pubsub.signInAs('writer');
  await (await open()).store(entry);
});

test('throttled, broken or answered by something else, it is tried again with the pause that is asked for', async (context) => {
  const { pubsub, store } = await start(context);
  const entry = await signedArtifact(signature);
  const cases = [
    [
      { status: 429, headers: { 'retry-after': '3' } },
      { code: 'STORE_UNAVAILABLE', retryAfter: 3_000 },
    ],
    [
      { status: 502, text: '<html>' },
      { code: 'STORE_UNAVAILABLE', status: 502 },
    ],
    [
      { status: 200, text: '<html>welcome</html>' },
      { code: 'STORE_UNAVAILABLE', message: /no message id/ },
    ],
    ['hang up', { code: 'STORE_UNAVAILABLE', message: /no answer/ }],
  ] as const;
  for (const [give, expected] of cases) {
    pubsub.trouble = atApi(give);
    await assert.rejects(store.store(entry), expected);
  }
  await store.store(entry);
  assert.equal(pubsub.topics.get(gcp['storage.pubsub.topic'])?.length, 1);
});

test('a Pub/Sub that never answers is given up, and so is one that is waited for no longer', async (context) => {
  const { pubsub, store } = await start(context, { timeout: 500 });
  const entry = await signedArtifact(signature);
  pubsub.trouble = atApi('hang', Infinity);
  await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE', message: /within 0\.5 s$/ });
  const reason = new Error('stopped');
  await assert.rejects(store.store(entry, AbortSignal.abort(reason)), reason);
});

test('what only an attribute could hold must fit there: the error says how long it is and what to choose', async (context) => {
  const { pubsub, store } = await start(context);
  const entry = await signedArtifact({ kind: 'taskrun', format: 'tekton', padding: 1_024 });
  await assert.rejects(store.store(entry), {
    code: 'PAYLOAD_TOO_LARGE',
    message:
      /bytes in base64, and Pub\/Sub allows 1024 for an attribute: choose a format of in-toto statements/,
  });
  assert.equal(pubsub.requests.length, 0);
});

test('a Kafka record has the signature as its value, and both as headers', async () => {
  for (const wanted of combinations) {
    const entry = await signedArtifact({ ...wanted, key: 'ECDSA P-256' });
    const { topic, value, headers } = kafkaRecord('chains', messageFor(entry));
    assert.deepEqual([topic, value], ['chains', Buffer.from(entry.signature.bytes)]);
    assert.deepEqual(
      [...headers].map(([name, bytes]) => [name.toString(), bytes]),
      [
        ['payload', Buffer.from(Buffer.from(entry.payload.bytes).toString('base64'))],
        ['signature', Buffer.from(entry.signature.bytes)],
      ],
    );
  }
});

for (const [name, listener] of [
  ['that hangs', () => {}],
  ['that hangs up', (socket: Socket) => void socket.destroy()],
  ['that is not Kafka', (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
] as const) {
  test(`a Kafka ${name} is unavailable, within the time it has`, async (context) => {
    const port = await listen(context, listener);
    const store = await openStore({ ...kafka, [servers]: `127.0.0.1:${port}` }, { timeout: 500 });
    await assert.rejects(store.store(await signedArtifact(signature)), {
      code: 'STORE_UNAVAILABLE',
      terminal: false,
      message: new RegExp(`to the topic chains of 127\\.0\\.0\\.1:${port}: `),
    });
    const reason = new Error('stopped');
    await assert.rejects(store.store(await signedArtifact(signature), AbortSignal.abort(reason)), reason);
    await store.close?.();
  });
}

test('a connection that has gone silent is not used again', async (context) => {
  let connections = 0;
  const port = await listen(context, () => {
    connections += 1;
  });
  const store = await openStore({ ...kafka, [servers]: `127.0.0.1:${port}` }, { timeout: 1_000 });
  for (const attempt of [1, 2]) {
    await assert.rejects(store.store(await signedArtifact(signature)), { code: 'STORE_UNAVAILABLE' });
    assert.equal(connections, attempt);
  }
  await store.close?.();
});

test('where nothing listens, Kafka is unavailable', async () => {
  const store = await openStore({ ...kafka, [servers]: '127.0.0.1:1' }, { timeout: 2_000 });
  await assert.rejects(store.store(await signedArtifact(signature)), { code: 'STORE_UNAVAILABLE' });
  await store.close?.();
});

for (const [missing, settings] of [
  ['storage.pubsub.provider', { 'storage.pubsub.topic': 'chains' }],
  ['storage.pubsub.topic', { 'storage.pubsub.provider': 'gcp' }],
  [servers, kafka],
] as const) {
  test(`without ${missing} it does not open`, async () => {
    const open = await stores.pubsub();
    await assert.rejects(open(parseConfig(settings).config), {
      code: 'CONFIG_INVALID',
      message: new RegExp(`^${missing} is not set`),
    });
  });
}

test('a bootstrap server that is not a host and port is shown', async () => {
  for (const server of ['kafka://a:9092', 'a:b', 'a b']) {
    await assert.rejects(openStore({ ...kafka, [servers]: `a:9092,${server}` }), {
      code: 'CONFIG_INVALID',
      message: `${servers} holds \`${server}\`, which is not a host:port`,
    });
  }
});

async function start(context: TestContext, options?: { timeout: number }) {
  const pubsub = await startPubsub(context);
  const store = await openStore(gcp, options);
  context.after(() => store.close?.());
  return { pubsub, store };
}

async function listen(context: TestContext, listener: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    listener(socket);
  });
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
