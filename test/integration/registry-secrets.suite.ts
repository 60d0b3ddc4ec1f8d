import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { at } from '../../src/model/json.ts';
import { type SandboxRegistry, startRegistry } from '../../src/sandbox/registry/index.ts';
import { doneStatus, ended, mark, openWorld, type TestCluster, type World } from './world.ts';

const robot = { name: 'robot', password: 'secret-of-robot' };

/** Secrets of a cluster let the controller in at registries: run on the sandbox and on a real API server. */
export function registrySecretsSuite(name: string, start: () => Promise<TestCluster>): void {
  suite(`registry credentials from ${name}`, () => {
    let world: World;
    let registry: SandboxRegistry;
    before(async () => {
      registry = await startRegistry({ guard: { scheme: 'token', users: [robot] } });
      world = await openWorld(await start());
      await world.configure({ 'artifacts.oci.storage': 'oci', 'signing.retry-deadline': '2s' });
      for (const [secret, password] of [
        ['right', robot.password],
        ['wrong', 'wrong-password'],
      ] as const)
        await create('secrets', secret, {
          type: 'kubernetes.io/dockerconfigjson',
          stringData: {
            '.dockerconfigjson': JSON.stringify({
              auths: { [registry.host]: { username: 'robot', password } },
            }),
          },
        });
      await create('secrets', 'unrelated', { type: 'Opaque', stringData: { token: 'x' } });
      await create('serviceaccounts', 'by-secrets', { secrets: [{ name: 'unrelated' }, { name: 'right' }] });
      await create('serviceaccounts', 'by-pull-secrets', {
        secrets: [{ name: 'wrong' }, { name: 'gone' }],
        imagePullSecrets: [{ name: 'right' }],
      });
      await create('serviceaccounts', 'without', {});
      await world.startController();
    });
    after(async () => {
      await world?.close();
      await registry?.close();
    });

    const create = async (plural: string, objectName: string, content: object) => {
      const kind = { secrets: 'Secret', serviceaccounts: 'ServiceAccount' }[plural];
      const body = { apiVersion: 'v1', kind, metadata: { name: objectName }, ...content };
      const { status } = await world.call('POST', `/api/v1/namespaces/default/${plural}`, body);
      assert.equal(status, 201);
    };
    let runs = 0;
    /** A run that made an image; how signing it ended, and why. */
    const signed = async (spec: object) => {
      runs += 1;
      const hex = String(runs).repeat(64);
      const results = [
        { name: 'IMAGE_URL', value: `${registry.host}/acme/app` },
        { name: 'IMAGE_DIGEST', value: `sha256:${hex}` },
      ];
      await world.createRun(`run-${runs}`, { spec: { ...spec }, status: { ...doneStatus, results } });
      const run = await ended(world, `run-${runs}`);
      return [mark(run, 'signed'), mark(run, 'message') ?? '', hex] as const;
    };
    const isThere = (hex: string) =>
      assert.ok(at(registry.contents('acme/app').manifest(`sha256-${hex}.sig`).json, 'layers'));

    test('a Secret among the service account’s secrets', async () => {
      const [state, message, hex] = await signed({ serviceAccountName: 'by-secrets' });
      assert.deepEqual([state, message], ['true', '']);
      isThere(hex);
    });

    test('an imagePullSecret, after a wrong one and one that is gone', async () => {
      const [state, message, hex] = await signed({ serviceAccountName: 'by-pull-secrets' });
      assert.deepEqual([state, message], ['true', '']);
      isThere(hex);
    });

    test('an imagePullSecret of the pod template', async () => {
      const podTemplate = { imagePullSecrets: [{ name: 'right' }] };
      const [state, message, hex] = await signed({ serviceAccountName: 'without', podTemplate });
      assert.deepEqual([state, message], ['true', '']);
      isThere(hex);
    });

    test('without a credential the run ends as failed, and says who refused', async () => {
      const [state, message] = await signed({ serviceAccountName: 'without' });
      assert.equal(state, 'failed');
      assert.match(message, /the registry answered 401; tried: anonymous/);
    });
  });
}
