import assert from 'node:assert/strict';
import type { StoreName } from '../../src/config/keys.ts';
import { verify } from '../../src/index.ts';
import type { SignedArtifact } from '../../src/model/signature.ts';
import type { Store } from '../../src/store/index.ts';
import { newKey } from './oci/world.ts';

/** A store, and what leads to it. */
export interface StoreToRead {
  readonly name: StoreName;
  readonly store: Store;
  readonly settings: Readonly<Record<string, string>>;
  /** PEM of the key that signed. */
  readonly publicKey: string;
}

/** Fails unless a run and its image, once stored, verify as they are read back, and whatever is changed there doesn't. */
export async function assertReadBack(
  own: SignedArtifact,
  image: SignedArtifact | undefined,
  { name, store, settings, publicKey }: StoreToRead,
): Promise<void> {
  const failures = async (keys = [publicKey], more: Readonly<Record<string, string>> = {}) => {
    const config = {
      ...settings,
      ...(image === undefined ? {} : { 'artifacts.oci.storage': name }),
      ...more,
    };
    const { run } = own.artifact;
    const { verified, checks } = await verify({ run: run.object, keys, stores: [name], config });
    const failed = checks.filter(({ ok }) => !ok);
    assert.equal(verified, failed.length === 0);
    assert.ok(checks.length > 0 && checks.every((check) => check.name.startsWith(`${name} `)));
    return failed;
  };
  const [key, imageKey] = [own.artifact.key, image?.artifact.key];

  const missing = (await failures()).map((check) => `${check.name}: ${check.reason}`);
  assert.match(missing[0] ?? '', new RegExp(`^${name} ${key} stored: nothing is stored at \\S+`));
  await store.store(own);
  if (image !== undefined) {
    assert.match((await failures())[0]?.name ?? '', new RegExp(`^${name} ${imageKey} `));
    await store.store(image);
  }
  assert.deepEqual(await failures(), []);
  assert.ok(
    (await failures([newKey().publicKey])).some((check) => check.name === `${name} ${key} signature`),
  );

  for (const entry of image === undefined ? [own] : [own, image]) {
    const { payload, signature } = entry;
    for (const changed of [
      { ...entry, payload: { ...payload, bytes: altered(payload.bytes) } },
      { ...entry, signature: { ...signature, bytes: altered(signature.bytes) } },
    ]) {
      await store.store(changed);
      assert.ok((await failures()).some((check) => check.name === `${name} ${entry.artifact.key} signature`));
    }
    await store.store(entry);
  }
  assert.deepEqual(await failures(), []);
}

/** The bytes with one letter of a text changed, so that JSON stays JSON; of what is not JSON the first byte. */
export function altered(bytes: Uint8Array): Buffer {
  const text = Buffer.from(bytes).toString('latin1');
  const changed = text.replace(/[A-Za-z](?="[,}])/, (letter) => (letter === 'x' ? 'y' : 'x'));
  if (changed !== text) return Buffer.from(changed, 'latin1');
  return Buffer.concat([Buffer.of((bytes[0] ?? 0) ^ 1), bytes.subarray(1)]);
}
