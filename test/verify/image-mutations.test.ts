import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { isJsonObject, type Json, type JsonObject, member, parseJson } from '../../src/json.ts';
import { startRegistry } from '../../sandbox/registry/index.ts';
import { verifyImage } from '../../src/verify/image.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import {
  assertSigned,
  type DescriptorView,
  digestIn,
  newKey,
  openSigning,
  RepositoryView,
  signRunOf,
} from '../store/oci/world.ts';
import { flipped, mutations } from './changes.ts';

const registry = await startRegistry({ referrers: false });
after(() => registry.close());
const repository = new RepositoryView(registry, 'acme/app');
const key = newKey();
const keys = await readKeys([key.publicKey]);

/** An image with a signature, or an attestation, and nothing else. */
async function signed(what: 'signature' | 'attestation'): Promise<string> {
  const image = await repository.pushImage(what);
  const pipeline = openSigning(key.privateKey, {
    'artifacts.oci.storage': what === 'signature' ? 'oci' : 'tekton',
    'artifacts.taskrun.storage': what === 'signature' ? 'tekton' : 'oci',
  });
  assertSigned(await signRunOf(pipeline, image));
  await pipeline.close();
  return image;
}

async function isVerified(image: string): Promise<boolean> {
  return (await verifyImage(image, parseConfig({}).config, { keys, expected: {} })).verification.verified;
}

/** Puts another layer under the tag of an image's signatures or attestations. */
async function replace(image: string, suffix: string, bytes: Buffer, layer: DescriptorView): Promise<void> {
  const tag = `${digestIn(image).replace(':', '-')}.${suffix}`;
  const manifest = await repository.manifest(tag);
  const blob = await repository.pushBlob(Uint8Array.from(bytes));
  const changed = JSON.stringify({ ...manifest, layers: [{ ...layer, ...blob }] });
  registry.contents('acme/app').put(tag, Buffer.from(changed), String(manifest?.mediaType));
}

async function only(image: string, suffix: 'sig' | 'att'): Promise<{ layer: DescriptorView; bytes: Buffer }> {
  const [layer, ...more] = await repository.layers(image, suffix);
  assert.ok(layer !== undefined && more.length === 0);
  return { layer, bytes: await repository.blob(layer.digest) };
}

/** Envelopes with one field changed, or one of the payload in it. */
function envelopeChanges(envelope: JsonObject): readonly (readonly [string, Json])[] {
  const payload: Json = parseJson(Buffer.from(String(envelope['payload']), 'base64').toString());
  return [
    // Which key it was is a hint that may be missing.
    ...mutations(envelope).filter(([where]) => !where.endsWith(' without keyid')),
    ...mutations(payload).map(([where, changed]) => {
      const text = Buffer.from(JSON.stringify(changed)).toString('base64');
      return [`payload ${where}`, { ...envelope, payload: text }] as const;
    }),
  ];
}

test("an image's signature: every changed field of the payload, and byte or character of the signature", async () => {
  const image = await signed('signature');
  assert.ok(await isVerified(image));
  const { layer, bytes } = await only(image, 'sig');
  for (const [where, changed] of mutations(parseJson(bytes.toString()))) {
    await replace(image, 'sig', Buffer.from(JSON.stringify(changed)), layer);
    assert.equal(await isVerified(image), false, where);
  }
  const name = 'dev.cosignproject.cosign/signature';
  const text = layer.annotations?.[name] ?? '';
  const texts = flipped(Buffer.from(text, 'base64')).map(([, changed]) => changed.toString('base64'));
  for (const signature of [...texts, '', `*${text}`, `${text}\n`, text.slice(0, -1)]) {
    await replace(image, 'sig', bytes, { ...layer, annotations: { [name]: signature } });
    assert.equal(await isVerified(image), false, signature);
  }
  await replace(image, 'sig', bytes, layer);
  assert.ok(await isVerified(image));
});

test('an attestation: every changed field of the envelope, the payload in it, and byte of the signature', async () => {
  const image = await signed('attestation');
  assert.ok(await isVerified(image));
  const { layer, bytes } = await only(image, 'att');
  const envelope = parseJson(bytes.toString());
  assert.ok(isJsonObject(envelope));
  for (const [where, changed] of envelopeChanges(envelope)) {
    await replace(image, 'att', Buffer.from(JSON.stringify(changed)), layer);
    assert.equal(await isVerified(image), false, where);
  }
});

test('a bundle: every changed field of the envelope, the payload in it, and byte of the signature', async () => {
  const withReferrers = await startRegistry();
  after(() => withReferrers.close());
  const source = new RepositoryView(withReferrers, 'acme/app');
  const image = await source.pushImage('bundle');
  const bundles = { 'storage.oci.encoding-format': 'sigstore-bundle', 'artifacts.oci.storage': 'tekton' };
  const pipeline = openSigning(key.privateKey, bundles);
  assertSigned(await signRunOf(pipeline, image));
  await pipeline.close();
  const [manifest, ...more] = await source.referrers(image);
  const [layer] = manifest?.layers ?? [];
  assert.ok(manifest?.config !== undefined && layer !== undefined && more.length === 0);
  const config = await source.blob(manifest.config.digest);
  const bundle = parseJson((await source.blob(layer.digest)).toString());
  const envelope = member(bundle, 'dsseEnvelope');
  assert.ok(isJsonObject(bundle) && isJsonObject(envelope));

  let count = 0;
  /** Whether the image is verified by this envelope in a bundle, which alone is in a repository of its own. */
  async function isVerifiedBy(dsseEnvelope: Json): Promise<boolean> {
    const place = new RepositoryView(withReferrers, `acme/changed-${(count += 1)}`);
    await place.pushBlob(Uint8Array.from(config));
    const blob = await place.pushBlob(Buffer.from(JSON.stringify({ ...Object(bundle), dsseEnvelope })));
    await place.pushManifest(JSON.parse(JSON.stringify({ ...manifest, layers: [{ ...layer, ...blob }] })));
    const elsewhere = parseConfig({ 'storage.oci.repository': place.name });
    return (await verifyImage(image, elsewhere.config, { keys, expected: {} })).verification.verified;
  }

  assert.ok(await isVerifiedBy(envelope));
  for (const [where, changed] of envelopeChanges(envelope)) {
    assert.equal(await isVerifiedBy(changed), false, where);
  }
});
