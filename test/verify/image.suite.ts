import assert from 'node:assert/strict';
import { sign as signBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { verify } from '../../src/index.ts';
import { verifyImage } from '../../src/verify/image.ts';
import type { Expectations } from '../../src/verify/provenance.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import { stores } from '../../src/store/index.ts';
import { pipelineRun, taskRun, taskRunWith } from '../runs.ts';
import {
  assertSigned,
  digestIn,
  newKey,
  openSigning,
  RepositoryView,
  signRunOf,
  type TestRegistry,
} from '../store/oci/world.ts';

/** Verifying images on any registry. @param concurrency tests at once, which mostly wait for the second look at a tag */
export function verifyImageSuite(name: string, start: () => Promise<TestRegistry>, concurrency = 1): void {
  suite(name, { concurrency }, () => {
    const [key, other] = [newKey(), newKey()];
    let registry: TestRegistry;
    let app: RepositoryView;
    before(async () => {
      registry = await start();
      app = new RepositoryView(registry, 'acme/app');
    });
    after(() => registry?.close());

    async function sign(content: string, data: Readonly<Record<string, string>>, by = key): Promise<string> {
      const image = await app.pushImage(content);
      const pipeline = openSigning(by.privateKey, data);
      assertSigned(await signRunOf(pipeline, image));
      await pipeline.close();
      return image;
    }

    const succeeded: JsonObject = { conditions: [{ type: 'Succeeded', status: 'True' }] };
    const images = (image: string): JsonObject => ({ results: [{ name: 'IMAGES', value: image }] });

    /** Signs this status, and has it refer to the image. */
    async function signStatus(image: string, status: JsonObject): Promise<void> {
      const run = taskRun({ ...status, ...images(image) });
      const pipeline = openSigning(key.privateKey, {
        'artifacts.taskrun.format': 'tekton',
        'artifacts.oci.storage': '',
      });
      const { drafts } = await pipeline.draft(run);
      const [draft] = drafts;
      assert.ok(draft !== undefined);
      const payload = { bytes: Buffer.from(JSON.stringify(status)), format: 'tekton' } as const;
      const entry = await pipeline.signDraft({ ...draft, payload });
      assert.ok('signature' in entry);
      const store = await (await stores.oci())(parseConfig({}).config);
      await store.store(entry);
      await store.close?.();
    }

    /** Puts a payload at cosign's tag, signed by the key, as anyone who may push to the repository can. */
    async function putSignature(image: string, payload: Buffer<ArrayBuffer>): Promise<void> {
      const signature = signBytes('sha256', payload, key.privateKey).toString('base64');
      const layer = {
        mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
        ...(await app.pushBlob(payload)),
        annotations: { 'dev.cosignproject.cosign/signature': signature },
      };
      const config = {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        ...(await app.pushBlob(Buffer.from('{}'))),
      };
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      const body = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] });
      const url = `http://${registry.host}/v2/acme/app/manifests/${digestIn(image).replace(':', '-')}.sig`;
      assert.equal(
        (await fetch(url, { method: 'PUT', headers: { 'content-type': mediaType }, body })).status,
        201,
      );
    }

    async function verified(image: string, publicKey = key.publicKey, expected: Expectations = {}) {
      const { config } = parseConfig({});
      return verifyImage(image, config, { keys: await readKeys([publicKey]), expected });
    }

    const v1 = { 'artifacts.taskrun.format': 'slsa/v2alpha3' };

    for (const encoding of ['dsse', 'sigstore-bundle']) {
      test(`${encoding}: signature and attestation verify under the key, and under no other`, async () => {
        const image = await sign(`signed as ${encoding}`, { ...v1, 'storage.oci.encoding-format': encoding });
        const { image: found, verification } = await verified(image);
        assert.equal(found, image);
        assert.ok(verification.verified, JSON.stringify(verification.checks));
        assert.equal(verification.checks.filter(({ name: what }) => what.endsWith(' signature')).length, 2);
        const wrong = (await verified(image, other.publicKey)).verification;
        assert.equal(wrong.verified, false);
        assert.match(wrong.checks.at(-1)?.reason ?? '', /nothing that was found is signed by these keys/);
      });

      test(`${encoding}: provenance must say what is expected of it`, async () => {
        const image = await sign(`expected as ${encoding}`, {
          ...v1,
          'storage.oci.encoding-format': encoding,
        });
        assert.ok((await verified(image, key.publicKey, { require: 'slsa-v1' })).verification.verified);
        assert.ok(!(await verified(image, key.publicKey, { builderId: 'x' })).verification.verified);
      });
    }

    for (const data of [
      { ...v1, 'storage.oci.encoding-format': 'dsse' },
      { ...v1, 'storage.oci.encoding-format': 'sigstore-bundle' },
      { 'artifacts.taskrun.format': 'tekton' },
    ]) {
      test(`a run is verified by what is attached to its images: ${Object.values(data).join(', ')}`, async () => {
        const image = await sign(`run ${JSON.stringify(data)}`, data);
        const { object } = taskRunWith([['IMAGES', image]]);
        const failures = async (publicKey: string, run: unknown = object) => {
          const config = { 'artifacts.oci.storage': 'oci' };
          const { checks } = await verify({ run, keys: [publicKey], stores: ['oci'], config });
          return checks.filter(({ ok }) => !ok).map(({ name: what, reason }) => `${what}: ${reason}`);
        };
        assert.deepEqual(await failures(key.publicKey), []);
        const wrong = await failures(other.publicKey);
        assert.ok(wrong.some((one) => one.startsWith('oci taskrun-uid-1 signature')));
        assert.ok(wrong.some((one) => one.startsWith(`oci ${digestIn(image).slice(7, 19)} signature`)));
        const unsigned = await app.pushImage(`unsigned ${JSON.stringify(data)}`);
        const [nothing] = await failures(key.publicKey, taskRunWith([['IMAGES', unsigned]]).object);
        assert.equal(nothing, `oci taskrun-uid-1 stored: nothing is stored at ${unsigned}`);
        const [placeless] = await failures(key.publicKey, taskRunWith([]).object);
        assert.match(placeless ?? '', /^oci stored: the run names nothing that it built/);
        // An attestation is one of the run that it names, whatever the image.
        const { metadata } = object;
        const rerun = { ...object, metadata: { ...Object(metadata), uid: 'uid-2' } };
        if (data['artifacts.taskrun.format'] !== 'tekton')
          assert.match((await failures(key.publicKey, rerun))[0] ?? '', /uid-2 provenance: .*uid-1/);
      });
    }

    test('a PipelineRun is verified by what is attached to the images that its TaskRuns built', async () => {
      const image = await app.pushImage('built by a TaskRun');
      const succeeded = {
        conditions: [{ type: 'Succeeded', status: 'True' }],
        completionTime: '2026-01-01T00:01:00Z',
      };
      const { object } = taskRunWith([['IMAGES', image]]);
      const child = {
        ...object,
        status: { ...Object(object['status']), ...succeeded },
        metadata: {
          namespace: 'ci',
          name: 'child',
          uid: 'uid-child',
          labels: { 'tekton.dev/pipelineTask': 'b' },
        },
      };
      const reference = { kind: 'TaskRun', name: 'child', pipelineTaskName: 'b' };
      const run = pipelineRun({
        ...succeeded,
        pipelineSpec: { tasks: [{ name: 'b', taskRef: { name: 'b' } }] },
        childReferences: [reference],
      });
      const config = {
        'artifacts.pipelinerun.format': 'slsa/v2alpha4',
        'artifacts.pipelinerun.storage': 'oci',
        'artifacts.pipelinerun.enable-deep-inspection': 'true',
      };
      const pipeline = openSigning(key.privateKey, config);
      assertSigned(await pipeline.process(run, { taskRuns: [child] }));
      await pipeline.close();
      const given = { run: run.object, taskRuns: [child], stores: ['oci'], config } as const;
      const { verified: is, checks } = await verify({ ...given, keys: [key.publicKey] });
      assert.ok(is, JSON.stringify(checks));
      assert.ok(!(await verify({ ...given, keys: [other.publicKey] })).verified);
    });

    test("a run's status that refers to the image verifies", async () => {
      const image = await app.pushImage('tekton');
      await signStatus(image, { ...succeeded, ...images(image) });
      const { verification } = await verified(image);
      assert.ok(verification.verified, JSON.stringify(verification.checks));
      assert.match(JSON.stringify(verification.checks), /the run whose status it is built this image/);
    });

    const otherStatuses: readonly (readonly [string, (image: string) => JsonObject])[] = [
      [
        'a scanner that was given the image',
        (image) => ({ ...succeeded, taskSpec: { params: [{ name: 'image', default: image }] } }),
      ],
      [
        'a scanner whose result names it',
        (image) => ({ ...succeeded, results: [{ name: 'SCANNED', value: image }] }),
      ],
      [
        'a run that failed since the image was rejected',
        (image) => ({
          conditions: [{ type: 'Succeeded', status: 'False', message: `rejected ${image}` }],
          ...images(image),
        }),
      ],
      ['a run that has not ended', (image) => images(image)],
      [
        'a run that built the digest elsewhere',
        (image) => ({ ...succeeded, ...images(image.replace('acme/app', 'acme/other')) }),
      ],
    ];
    for (const [what, statusFor] of otherStatuses) {
      test(`a signed status that contains the digest proves no image: ${what}`, async () => {
        const image = await app.pushImage(what);
        await signStatus(image, statusFor(image));
        assert.equal((await verified(image)).verification.verified, false);
      });
    }

    test("a status in a layer of `.sig`, and a signature without cosign's type, prove no image", async () => {
      const image = await app.pushImage('layers');
      const payloads: readonly Json[] = [
        { ...succeeded, ...images(image) },
        { critical: { image: { 'docker-manifest-digest': digestIn(image) } } },
        { critical: { image: { 'docker-manifest-digest': digestIn(image) }, type: 'another type' } },
      ];
      for (const payload of payloads) {
        await putSignature(image, Buffer.from(JSON.stringify(payload)));
        assert.equal((await verified(image)).verification.verified, false, JSON.stringify(payload));
      }
    });

    test("entries of others don't matter as long as one is by the key", async () => {
      const image = await sign('two keys', v1);
      const pipeline = openSigning(other.privateKey, v1);
      assertSigned(await signRunOf(pipeline, image));
      await pipeline.close();
      assert.ok((await verified(image)).verification.verified);
      assert.ok((await verified(image, other.publicKey)).verification.verified);
    });

    test('an image that nobody signed is not verified', async () => {
      const { verification } = await verified(await app.pushImage('unsigned'));
      assert.equal(verification.verified, false);
      assert.deepEqual(
        verification.checks.map(({ reason }) => reason),
        ['nothing signed was found'],
      );
    });

    test('what was copied from another image speaks of that one', async () => {
      const signed = await sign('signed', v1);
      const victim = await app.pushImage('victim');
      for (const suffix of ['sig', 'att']) {
        const manifest = await app.manifest(`${digestIn(signed).replace(':', '-')}.${suffix}`);
        assert.ok(manifest !== undefined);
        const body = JSON.stringify(manifest);
        const tag = `${digestIn(victim).replace(':', '-')}.${suffix}`;
        const headers = { 'content-type': manifest.mediaType };
        const url = `http://${registry.host}/v2/acme/app/manifests/${tag}`;
        assert.equal((await fetch(url, { method: 'PUT', headers, body })).status, 201);
      }
      const { verification } = await verified(victim);
      assert.equal(verification.verified, false);
      const wrong = verification.checks.filter(({ ok }) => !ok).map(({ reason }) => reason);
      assert.match(wrong.join('\n'), /the signature names another image/);
      assert.match(wrong.join('\n'), /the statement does not name this image/);
    });

    test("a text that is not a reference, and an image that isn't there, are errors of usage", async () => {
      await assert.rejects(verified('UPPER/case'), { code: 'USAGE', message: /is not an image/ });
      await assert.rejects(verified(`${registry.host}/acme/app:nowhere`), {
        code: 'USAGE',
        message: /there is no image/,
      });
    });
  });
}
