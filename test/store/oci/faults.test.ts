import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { mapAtMost } from '../../../src/concurrency.ts';
import type { Pipeline } from '../../../src/pipeline.ts';
import { type SandboxRegistry, startRegistry } from '../../../sandbox/registry/index.ts';
import { assertSigned, newKey, openSigning, RepositoryView, signRunOf } from './world.ts';

suite('the store oci on a registry in trouble', () => {
  let registry: SandboxRegistry;
  let app: RepositoryView;
  let pipeline: Pipeline;
  let image: string;
  let images = 0;
  before(async () => {
    registry = await startRegistry({ referrers: false });
    app = new RepositoryView(registry, 'acme/app');
    pipeline = openSigning(newKey().privateKey);
  });
  beforeEach(async () => {
    registry.faults.clear();
    image = await app.pushImage(`image ${(images += 1)}`);
  });
  after(async () => {
    await pipeline.close();
    await registry.close();
  });

  const isManifest = ({ path }: { path: string }) => path.includes('/manifests/');
  const isBlob = ({ path }: { path: string }) => path.includes('/blobs/sha256:');
  /** One signature and one attestation, however often it was tried. */
  const storedOnce = async (view = app, name = image) => {
    assert.equal((await view.layers(name, 'sig')).length, 1);
    assert.equal((await view.layers(name, 'att')).length, 1);
  };
  const failsThenRecovers = async (code: string, message: RegExp) => {
    const { failures } = await signRunOf(pipeline, image);
    assert.ok(failures.length > 0);
    for (const { error, stage } of failures) {
      assert.deepEqual([stage, error.code, error.terminal], ['storage', code, false], error.message);
      assert.match(error.message, message);
    }
    registry.faults.clear();
    assertSigned(await signRunOf(pipeline, image));
    await storedOnce();
  };

  test('slow answers are waited for', async () => {
    registry.faults.add({ kind: 'latency', milliseconds: 50 });
    assertSigned(await signRunOf(pipeline, image));
    registry.faults.clear();
    await storedOnce();
  });

  test('429 is reported with its Retry-After, and passes', async () => {
    registry.faults.add({ kind: 'status', code: 429, retryAfter: 7 }, { when: isManifest });
    const { failures } = await signRunOf(pipeline, image);
    assert.deepEqual(
      failures.map(({ error }) => [error.code, error.retryAfter, error.status]),
      [
        ['STORE_UNAVAILABLE', 7000, 429],
        ['STORE_UNAVAILABLE', 7000, 429],
      ],
    );
    registry.faults.clear();
    assertSigned(await signRunOf(pipeline, image));
    await storedOnce();
  });

  for (const status of [500, 503])
    test(`${status} passes`, async () => {
      registry.faults.add({ kind: 'status', code: status }, { when: isManifest });
      await failsThenRecovers(
        'STORE_UNAVAILABLE',
        new RegExp(`answered ${status} \\(FAULT a fault on demand\\)`),
      );
    });

  for (const status of [401, 403])
    test(`${status} may be fixed, so it is tried again`, async () => {
      registry.faults.add({ kind: 'status', code: status }, { when: isManifest });
      await failsThenRecovers('STORE_REFUSED', new RegExp(`answered ${status}; it names no way to log in`));
    });

  test('a connection that breaks once is not even noticed', async () => {
    registry.faults.add({ kind: 'broken', when: 'before' }, { count: 1, when: isManifest });
    assertSigned(await signRunOf(pipeline, image));
    await storedOnce();
  });

  for (const when of ['before', 'answering'] as const)
    test(`connections that break ${when === 'before' ? 'at once' : 'in the midst of answers'} pass`, async () => {
      registry.faults.add({ kind: 'broken', when }, { when: isManifest });
      await failsThenRecovers('STORE_UNAVAILABLE', /manifests\/sha256-.*: no whole answer: /);
    });

  test('a manifest that is not what its digest names is refused', async () => {
    assertSigned(await signRunOf(pipeline, image));
    registry.faults.add({ kind: 'lie' }, { when: isManifest });
    await failsThenRecovers('STORE_UNAVAILABLE', /gave other content than the digest names/);
  });

  test('an attestation that is not what its digest names is refused', async () => {
    assertSigned(await signRunOf(pipeline, image));
    registry.faults.add({ kind: 'lie' }, { when: ({ method, ...path }) => method === 'GET' && isBlob(path) });
    await failsThenRecovers('STORE_UNAVAILABLE', /gave other content than the digest names/);
  });

  test('whatever request fails, the next attempt ends with one entry each', async () => {
    await mapAtMost(8, [...Array(24).keys()], async (request) => {
      const failing = await startRegistry({ referrers: false });
      const view = new RepositoryView(failing, 'acme/app');
      const pushed = await view.pushImage(`failing at request ${request}`);
      let seen = 0;
      failing.faults.add(
        { kind: 'broken', when: 'answering' },
        // Twice, since one broken connection is tried again at once.
        { when: () => [request, request + 1].includes((seen += 1)) },
      );
      await signRunOf(pipeline, pushed);
      failing.faults.clear();
      assertSigned(await signRunOf(pipeline, pushed));
      await storedOnce(view, pushed);
      await failing.close();
    });
  });

  test('a proxy that takes no long bodies gets the payload in chunks', async () => {
    const small = await startRegistry({ bodyLimit: 1024 * 1024 });
    const view = new RepositoryView(small, 'acme/app');
    const long = openSigning(newKey().privateKey, { 'builder.id': 'x'.repeat(3 * 1024 * 1024) });
    const name = await view.pushImage('long');
    assertSigned(await signRunOf(long, name));
    const [attestation] = await view.layers(name, 'att');
    assert.equal((await view.blob(attestation?.digest ?? '')).length, attestation?.size);
    assert.ok(small.requests.filter(({ method }) => method === 'PATCH').length > 4);
    await long.close();
    await small.close();
  });

  test("a registry that is down is reported; another image's registry works meanwhile", async () => {
    const down = await startRegistry();
    await down.close();
    const { failures, signed } = await signRunOf(
      pipeline,
      image,
      `${down.host}/acme/app@sha256:${'9'.repeat(64)}`,
    );
    assert.deepEqual(signed, [image.slice(image.indexOf('@') + 8, image.indexOf('@') + 20)]);
    for (const { error } of failures) {
      assert.equal(error.code, 'STORE_UNAVAILABLE');
      assert.match(error.message, new RegExp(`${down.host}/v2/: no whole answer: connect ECONNREFUSED`));
    }
    await storedOnce();
  });
});
