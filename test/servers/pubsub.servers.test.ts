import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { assertVerifies, signedArtifact } from '../store/entries.ts';
import { openStore, pubsubSuite } from '../store/pubsub.suite.ts';
import { settingsFor, startTopic } from './kafka-topic.ts';
import { startKafka } from './kafka.ts';

/** Both beside the body, in full: headers are bytes of any length. */
function headers({ payload, signature }: SignedArtifact): Readonly<Record<string, Buffer>> {
  return {
    payload: Buffer.from(Buffer.from(payload.bytes).toString('base64')),
    signature: Buffer.from(signature.bytes),
  };
}

pubsubSuite({
  name: 'kafka, on a real one',
  start: startTopic,
  metadata: headers,
  tooLarge: {
    padding: 3_000_000,
    message: /more than the topic allows: raise its max\.message\.bytes .*artifacts\.taskrun\.storage$/,
  },
});

test("Kafka's own consumer reads the headers and an envelope that verifies; a topic's limit is heeded", async (context) => {
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
