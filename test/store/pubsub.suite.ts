import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import type { SignedArtifact } from '../../src/model/signature.ts';
import type { Store } from '../../src/store/index.ts';
import { openPubsubStore } from '../../src/store/pubsub/index.ts';
import { assertVerifies, combinations, signedArtifact } from './entries.ts';

/** A message as a subscriber of either provider gets it. */
export interface Delivered {
  readonly body: Buffer;
  readonly metadata: Readonly<Record<string, Buffer>>;
}

/** A provider with a topic that takes messages of several MiB. */
export interface Provider {
  /** `storage.pubsub.*` for that topic. */
  readonly settings: Readonly<Record<string, string>>;
  /** The name of a topic that is not there. */
  readonly noTopic: string;
  /** So many messages that were published to the topic, after those that were given before. */
  delivered(count: number): Promise<readonly Delivered[]>;
  close(): Promise<void>;
}

/** Where providers differ. */
export interface Expectations {
  readonly name: string;
  start(): Promise<Provider>;
  /** What stands beside the body. */
  metadata(entry: SignedArtifact): Readonly<Record<string, Buffer>>;
  /** How many bytes a run's parameter has when nothing can carry its payload, and what the error then says. */
  readonly tooLarge: { readonly padding: number; readonly message: RegExp };
}

/** Opens the store for one test. */
export function openStore(
  settings: Readonly<Record<string, string>>,
  options?: { readonly timeout: number },
): Promise<Store> {
  return openPubsubStore(parseConfig(settings).config, options);
}

/** What a consumer relies on, whatever carries the message. */
export function pubsubSuite({ name, start, metadata, tooLarge }: Expectations): void {
  suite(name, () => {
    let provider: Provider;
    let store: Store;
    before(async () => {
      provider = await start();
      store = await openStore(provider.settings);
    });
    after(async () => {
      await store?.close?.();
      await provider?.close();
    });

    async function published(entry: SignedArtifact): Promise<Delivered> {
      assert.deepEqual(await store.store(entry), {});
      const [message, ...more] = await provider.delivered(1);
      assert.equal(more.length, 0);
      return message ?? assert.fail('nothing was delivered');
    }

    for (const wanted of combinations) {
      for (const key of ['ECDSA P-256', 'Ed25519', 'RSA']) {
        test(`${wanted.kind} in ${wanted.format}, ${key}: the signature is the body, and verifies`, async () => {
          const entry = await signedArtifact({ ...wanted, key });
          const message = await published(entry);
          assert.deepEqual(message.body, Buffer.from(entry.signature.bytes));
          assert.deepEqual(message.metadata, metadata(entry));
          const payload = Buffer.from(String(message.metadata['payload'] ?? ''), 'base64');
          assertVerifies(entry, message.body, payload);
        });
      }
    }

    test('a payload of 1 MiB goes through', async () => {
      const entry = await signedArtifact({ kind: 'taskrun', format: 'in-toto', padding: 1024 * 1024 });
      assertVerifies(entry, (await published(entry)).body);
    });

    test('what is too large is reported at once and for good', async () => {
      const { padding, message } = tooLarge;
      const entry = await signedArtifact({ kind: 'taskrun', format: 'in-toto', padding });
      await assert.rejects(store.store(entry), { code: 'PAYLOAD_TOO_LARGE', terminal: true, message });
    });

    test('several at once are all delivered', async () => {
      const entry = await signedArtifact({ kind: 'oci', format: 'simplesigning' });
      await Promise.all(Array.from({ length: 20 }, () => store.store(entry)));
      assert.equal((await provider.delivered(20)).length, 20);
    });

    test('a topic that is not there is refused, until there is one', async () => {
      const elsewhere = await openStore({ ...provider.settings, 'storage.pubsub.topic': provider.noTopic });
      const entry = await signedArtifact({ kind: 'oci', format: 'simplesigning' });
      await assert.rejects(elsewhere.store(entry), {
        code: 'STORE_REFUSED',
        terminal: false,
        message: new RegExp(provider.noTopic),
      });
      await elsewhere.close?.();
    });
  });
}
