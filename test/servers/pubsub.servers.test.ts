import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Consumer, MessagesStreamModes } from '@platformatic/kafka';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { assertVerifies, signedArtifact } from '../store/entries.ts';
import { type Delivered, openStore, type Provider, pubsubSuite } from '../store/pubsub.suite.ts';
import { type Kafka, startKafka } from './kafka.ts';

/** Both beside the body, in full: headers are bytes of any length. */
function headers({ payload, signature }: SignedArtifact): Readonly<Record<string, Buffer>> {
  return {
    payload: Buffer.from(Buffer.from(payload.bytes).toString('base64')),
    signature: Buffer.from(signature.bytes),
  };
}

function settingsFor(kafka: Kafka, topic: string): Readonly<Record<string, string>> {
  return {
    'storage.pubsub.provider': 'kafka',
    'storage.pubsub.topic': topic,
    'storage.pubsub.kafka.bootstrap.servers': `127.0.0.1:${kafka.port}`,
  };
}

async function start(): Promise<Provider> {
  const kafka = await startKafka();
  await kafka.createTopic('chains', { 'max.message.bytes': 10_000_000 });
  const consumer = new Consumer({
    groupId: 'tests',
    clientId: 'tests',
    bootstrapBrokers: [`127.0.0.1:${kafka.port}`],
    maxBytes: 50_000_000,
  });
  const stream = await consumer.consume({ topics: ['chains'], mode: MessagesStreamModes.EARLIEST });
  const messages = stream[Symbol.asyncIterator]();
  return {
    settings: settingsFor(kafka, 'chains'),
    noTopic: 'none',
    async delivered(count) {
      const found: Delivered[] = [];
      while (found.length < count) {
        const { value } = await messages.next();
        if (value === undefined) throw new Error('the stream has ended');
        const metadata = [...value.headers].map(([name, bytes]) => [name.toString('utf8'), bytes] as const);
        found.push({ body: value.value, metadata: Object.fromEntries(metadata) });
      }
      return found;
    },
    async close() {
      await stream.close();
      await consumer.close(true);
      await kafka.close();
    },
  };
}

pubsubSuite({
  name: 'kafka, on a real one',
  start,
  metadata: headers,
  tooLarge: {
    padding: 3_000_000,
    message: /more than the topic allows: raise its max\.message\.bytes .*artifacts\.taskrun\.storage$/,
  },
});

test('Kafka’s own consumer reads the headers and an envelope that verifies; a topic’s limit is heeded', async (context) => {
  const kafka = await startKafka();
  context.after(() => kafka.close());
  await kafka.createTopic('chains');
  const store = await openStore(settingsFor(kafka, 'chains'));
  const entry = await signedArtifact({ kind: 'pipelinerun', format: 'slsa/v2alpha4' });
  await store.store(entry);
  const [given = '', value = ''] = (await kafka.consume('chains', 1)).trimEnd().split('\t');
  const payload = Buffer.from(entry.payload.bytes).toString('base64');
  assert.equal(given, `payload:${payload},signature:${Buffer.from(entry.signature.bytes).toString('utf8')}`);
  assertVerifies(entry, Buffer.from(value));

  const mebibyte = await signedArtifact({ kind: 'taskrun', format: 'in-toto', padding: 1024 * 1024 });
  await assert.rejects(store.store(mebibyte), { code: 'PAYLOAD_TOO_LARGE' });

  await store.close?.();
});

test('a Kafka that stops is unavailable, and is found again when it is back', async (context) => {
  const kafka = await startKafka();
  context.after(() => kafka.close());
  await kafka.createTopic('chains');
  const store = await openStore(settingsFor(kafka, 'chains'), { timeout: 5_000 });
  context.after(() => store.close?.());
  const entry = await signedArtifact({ kind: 'oci', format: 'simplesigning', key: 'RSA' });
  await store.store(entry);
  await kafka.pause();
  await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE', terminal: false });
  await kafka.resume();
  await store.store(entry);
  assert.equal((await kafka.consume('chains', 2)).match(/payload:/g)?.length, 2);
});
