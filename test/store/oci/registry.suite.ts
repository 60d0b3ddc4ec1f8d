import assert from 'node:assert/strict';
import { type KeyObject, verify } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import {
  assertSigned,
  digestIn,
  newKey,
  openSigning,
  RepositoryView,
  signRunOf,
  type TestRegistry,
} from './world.ts';

let images = 0;

/**
 * What the store `oci` does on every registry: run on the sandbox's and on real ones.
 * @param concurrency tests at once, which mostly wait for the second look at a tag
 */
export function registrySuite(name: string, start: () => Promise<TestRegistry>, concurrency = 1): void {
  suite(name, { concurrency }, () => {
    let registry: TestRegistry;
    let app: RepositoryView;
    before(async () => {
      registry = await start();
      app = new RepositoryView(registry, 'acme/app');
    });
    after(() => registry?.close());

    const key = newKey();
    /** Signs a run that made these images, with a pipeline of its own. */
    const sign = async (image: string | readonly string[], data = {}, privateKey = key.privateKey) => {
      const pipeline = openSigning(privateKey, data);
      try {
        assertSigned(await signRunOf(pipeline, ...[image].flat()));
      } finally {
        await pipeline.close();
      }
    };
    /** Signs until it is stored. A registry on plain files may fail a request while another writes there. */
    const writer = async (image: string, privateKey: KeyObject, data = {}) => {
      const pipeline = openSigning(privateKey, data);
      for (let tries = 1; (await signRunOf(pipeline, image)).failures.length > 0; tries += 1)
        assert.ok(tries < 20, 'a writer never got through');
      await pipeline.close();
    };
    /** An image like no other. */
    const newImage = () => app.pushImage(`image ${(images += 1)}`);

    test("an image's signature stands at .sig, the run's attestation at .att", async () => {
      const image = await newImage();
      await sign(image);
      const [signature, ...others] = await app.layers(image, 'sig');
      assert.equal(others.length, 0);
      assert.equal(signature?.mediaType, 'application/vnd.dev.cosign.simplesigning.v1+json');
      assert.deepEqual(Object.keys(signature?.annotations ?? {}), ['dev.cosignproject.cosign/signature']);
      const payload = JSON.parse((await app.blob(signature?.digest ?? '')).toString());
      assert.equal(payload.critical.image['docker-manifest-digest'], digestIn(image));
      const [attestation] = await app.layers(image, 'att');
      assert.equal(attestation?.mediaType, 'application/vnd.dsse.envelope.v1+json');
      assert.deepEqual(attestation?.annotations, {
        'dev.cosignproject.cosign/signature': '',
        predicateType: 'https://slsa.dev/provenance/v0.2',
      });
      const envelope = JSON.parse((await app.blob(attestation?.digest ?? '')).toString());
      assert.equal(envelope.payloadType, 'application/vnd.in-toto+json');
      const tag = await app.manifest(`${digestIn(image).replace(':', '-')}.att`);
      const config = JSON.parse((await app.blob(tag?.config?.digest ?? '')).toString());
      assert.deepEqual(config.rootfs.diff_ids, [attestation?.digest]);
    });

    test('signing again adds nothing; signing with another key adds one, and what is there stays', async () => {
      const image = await newImage();
      await sign(image);
      const before = [await app.layers(image, 'sig'), await app.layers(image, 'att')];
      await sign(image);
      assert.deepEqual([await app.layers(image, 'sig'), await app.layers(image, 'att')], before);
      await sign(image, {}, newKey().privateKey);
      for (const [index, suffix] of (['sig', 'att'] as const).entries()) {
        const layers = await app.layers(image, suffix);
        assert.equal(layers.length, 2);
        assert.deepEqual(layers[0], before[index]?.[0]);
      }
    });

    test('the same run in another format is another attestation', async () => {
      const image = await newImage();
      await sign(image);
      await sign(image, { 'artifacts.taskrun.format': 'slsa/v2alpha3' });
      const types = (await app.layers(image, 'att')).map(({ annotations }) => annotations?.['predicateType']);
      assert.deepEqual(types, ['https://slsa.dev/provenance/v0.2', 'https://slsa.dev/provenance/v1']);
    });

    test("every image that a run made gets the run's attestation", async () => {
      const other = new RepositoryView(registry, 'acme/other');
      const [one, two, three] = [await newImage(), await newImage(), await other.pushImage('other')];
      await sign([one, two, three]);
      for (const [view, image] of [
        [app, one],
        [app, two],
        [other, three],
      ] as const) {
        assert.equal((await view.layers(image, 'sig')).length, 1, image);
        assert.equal((await view.layers(image, 'att')).length, 1, image);
      }
    });

    test('storage.oci.repository takes everything instead', async () => {
      const image = await newImage();
      const elsewhere = new RepositoryView(registry, 'acme/signatures');
      await sign(image, { 'storage.oci.repository': elsewhere.name });
      assert.equal((await app.layers(image, 'sig')).length, 0);
      assert.equal((await elsewhere.layers(image, 'sig')).length, 1);
      assert.equal((await elsewhere.layers(image, 'att')).length, 1);
    });

    test('an index of several architectures is signed by its own digest', async () => {
      const parts = [await newImage(), await newImage()].map(digestIn);
      const manifests = parts.map((digest, index) => ({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size: 400,
        platform: { os: 'linux', architecture: ['amd64', 'arm64'][index] ?? '' },
      }));
      const sizes = await Promise.all(parts.map((digest) => app.manifest(digest)));
      const sized = manifests.map((one, index) => ({ ...one, size: JSON.stringify(sizes[index]).length }));
      const index = await app.pushManifest({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: sized,
      });
      await sign(index);
      assert.equal((await app.layers(index, 'sig')).length, 1);
      for (const part of parts) assert.equal((await app.layers(part, 'sig')).length, 0);
    });

    test('an image that is not there can be signed, as cosign does', async () => {
      const image = `${app.name}@sha256:${'7'.repeat(64)}`;
      await sign(image);
      assert.equal((await app.layers(image, 'sig')).length, 1);
    });

    test('a run that made no image is attached to nothing', async () => {
      const pipeline = openSigning(key.privateKey);
      assertSigned(await signRunOf(pipeline));
      await pipeline.close();
    });

    test('twenty writers at once on one .att tag: every attestation is there', {
      timeout: 120_000,
    }, async () => {
      const image = await newImage();
      await Promise.all(Array.from({ length: 20 }, () => writer(image, newKey().privateKey)));
      const layers = await app.layers(image, 'att');
      assert.equal(new Set(layers.map(({ digest }) => digest)).size, 20);
      assert.equal((await app.layers(image, 'sig')).length, 20);
    });

    test('a payload of a MiB is stored', async () => {
      const image = await newImage();
      const pipeline = openSigning(key.privateKey, {
        'builder.id': `https://example.com/${'x'.repeat(1024 * 1024)}`,
      });
      assertSigned(await signRunOf(pipeline, image));
      await pipeline.close();
      const [attestation] = await app.layers(image, 'att');
      assert.ok((attestation?.size ?? 0) > 1024 * 1024);
      assert.equal((await app.blob(attestation?.digest ?? '')).length, attestation?.size);
    });

    test('a payload that is too long for one request goes in chunks', async () => {
      const image = await newImage();
      const pipeline = openSigning(key.privateKey, { 'builder.id': 'x'.repeat(13 * 1024 * 1024) });
      assertSigned(await signRunOf(pipeline, image));
      await pipeline.close();
      const [attestation] = await app.layers(image, 'att');
      assert.ok((attestation?.size ?? 0) > 16 * 1024 * 1024);
      assert.equal((await app.blob(attestation?.digest ?? '')).length, attestation?.size);
    });

    const bundles = { 'storage.oci.encoding-format': 'sigstore-bundle' };
    const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

    test('sigstore-bundle: signature and attestation are bundles that refer to the image', async () => {
      const image = await newImage();
      await sign(image, bundles);
      assert.deepEqual([await app.layers(image, 'sig'), await app.layers(image, 'att')], [[], []]);
      const referrers = await app.referrers(image);
      const types = referrers.map(({ annotations }) => annotations?.['dev.sigstore.bundle.predicateType']);
      assert.deepEqual(
        new Set(types),
        new Set(['https://sigstore.dev/cosign/sign/v1', 'https://slsa.dev/provenance/v0.2']),
      );
      for (const referrer of referrers) {
        assert.equal(referrer.artifactType, bundleType);
        assert.equal(referrer.config?.mediaType, 'application/vnd.oci.empty.v1+json');
        assert.equal(referrer.subject?.digest, digestIn(image));
        assert.equal(referrer.annotations?.['dev.sigstore.bundle.content'], 'dsse-envelope');
        const [layer] = referrer.layers ?? [];
        assert.equal(layer?.mediaType, bundleType);
        const bundle = JSON.parse((await app.blob(layer?.digest ?? '')).toString());
        assert.deepEqual(Object.keys(bundle), ['mediaType', 'verificationMaterial', 'dsseEnvelope']);
        const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
        assert.equal(`sha256:${statement.subject[0].digest.sha256}`, digestIn(image));
      }
    });

    test('sigstore-bundle: signing again adds nothing, another key adds its own', async () => {
      const image = await newImage();
      await sign(image, bundles);
      await sign(image, bundles);
      assert.equal((await app.referrers(image)).length, 2);
      await sign(image, bundles, newKey().privateKey);
      assert.equal((await app.referrers(image)).length, 4);
    });

    test("sigstore-bundle: other stores of the image's signature keep the payload of simplesigning", async () => {
      const image = await newImage();
      const pipeline = openSigning(key.privateKey, { ...bundles, 'artifacts.oci.storage': 'tekton,oci' });
      const outcome = await signRunOf(pipeline, image);
      await pipeline.close();
      assertSigned(outcome);
      assert.deepEqual(outcome.signed, ['taskrun-uid-1', digestIn(image).slice(7, 19)]);
      const payload = outcome.annotations[`chains.tekton.dev/payload-${digestIn(image).slice(7, 19)}`] ?? '';
      assert.match(Buffer.from(payload, 'base64').toString(), /"type":"cosign container image signature"/);
      assert.equal((await app.referrers(image)).length, 2);
    });

    test("the format tekton: the run's status refers to the image, with the signature in an annotation", async () => {
      const image = await newImage();
      const data = { 'artifacts.taskrun.format': 'tekton', 'artifacts.oci.storage': '' };
      await sign(image, data);
      await sign(image, data);
      const [referrer, ...others] = await app.referrers(image);
      assert.equal(others.length, 0);
      const type = 'application/vnd.dev.tekton.chains.taskrun.v1+json';
      assert.equal(referrer?.artifactType, type);
      const [layer] = referrer?.layers ?? [];
      assert.equal(layer?.mediaType, type);
      const payload = await app.blob(layer?.digest ?? '');
      const signature = layer?.annotations?.['dev.cosignproject.cosign/signature'] ?? '';
      assert.ok(verify('sha256', payload, key.publicKey, Buffer.from(signature, 'base64')));
      assert.match(payload.toString(), /"results"/);
    });

    test('the format tekton: a run and its image have the same payload, which is kept once', async () => {
      const image = await newImage();
      const data = { 'artifacts.taskrun.format': 'tekton', 'artifacts.oci.format': 'tekton' };
      await sign(image, data);
      await sign(image, data);
      assert.equal((await app.referrers(image)).length, 1);
    });

    test('nothing can refer to an image that is not there: an error that says so, and worth another try', async () => {
      const pipeline = openSigning(key.privateKey, bundles);
      const image = `${app.name}@sha256:${'8'.repeat(64)}`;
      const { failures } = await signRunOf(pipeline, image);
      await pipeline.close();
      assert.equal(failures.length, 2);
      for (const { error, stage } of failures) {
        assert.deepEqual([stage, error.code, error.terminal], ['storage', 'STORE_REFUSED', false]);
        assert.match(error.message, /acme\/app@sha256:8+ is not in its registry: push the image/);
      }
    });

    test('twenty writers at once of bundles about one image: every one is there', {
      timeout: 120_000,
    }, async () => {
      const image = await newImage();
      await Promise.all(Array.from({ length: 20 }, () => writer(image, newKey().privateKey, bundles)));
      assert.equal((await app.referrers(image)).length, 40);
    });
  });
}
