import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { request } from 'undici';
import { at } from '../../src/json.ts';
import { startSilentRegistry, type SilentRegistry } from './silent-registry.ts';
import { doneStatus, ended, eventually, mark, openWorld, type TestCluster, type World } from './world.ts';

/** What one namespace does to others: run on the sandbox and on a real API server. */
export function tenantsSuite(name: string, start: () => Promise<TestCluster>): void {
  describe(`many namespaces on ${name}`, () => {
    let world: World;
    const registries: SilentRegistry[] = [];
    before(async () => {
      world = await openWorld(await start());
      await world.configure({ 'artifacts.oci.storage': 'oci', 'limits.try-timeout': '5s' });
    });
    after(async () => {
      await world.close();
      for (const registry of registries) await registry.close();
    });

    it('are each watched, 40 of them, and their runs are signed', async (test) => {
      const others = Array.from({ length: 39 }, (_, index) => `team-${index}`);
      for (const namespace of others) await createNamespace(world, namespace);
      const controller = await world.startController({ namespaces: [...others, 'default'] });
      test.after(() => controller.stop());
      await eventually('readiness', async () => {
        const { statusCode } = await request(`http://127.0.0.1:${controller.healthPort}/readyz`);
        return statusCode === 200 ? true : undefined;
      });
      await world.createRun('watched', { status: doneStatus });
      assert.equal(mark(await ended(world, 'watched'), 'signed'), 'true');
      await createDone(world, 'team-38', 'watched-too', doneStatus);
      await eventually('the run of the last namespace is signed', async () => {
        const { body } = await world.call('GET', pathOf('team-38', 'watched-too'));
        return mark(body, 'signed') === 'true' ? true : undefined;
      });
    });

    it('are signed within 10 s, though others have runs that hang, and those say why they failed', async () => {
      for (let index = 0; index < 4; index += 1) registries.push(await startSilentRegistry());
      for (const [owner, registry] of registries.entries()) {
        await createNamespace(world, `hostile-${owner}`);
        for (let index = 0; index < 20; index += 1)
          await createDone(world, `hostile-${owner}`, `hangs-${index}`, registry.status);
      }
      await world.startController({ concurrency: 4 });
      await eventually('all registries are asked', () =>
        registries.every((registry) => registry.asked() > 0) ? true : undefined,
      );
      for (let index = 0; index < 5; index += 1) {
        const before = Date.now();
        await world.createRun(`victim-${index}`, { status: doneStatus });
        await ended(world, `victim-${index}`);
        assert.ok(Date.now() - before < 10_000, `victim-${index} took ${Date.now() - before} ms`);
      }
      const failed = await eventually('a try has ended', async () => {
        const { body } = await world.call('GET', pathOf('hostile-0', 'hangs-0'));
        return mark(body, 'retries') === undefined ? undefined : body;
      });
      assert.match(mark(failed, 'message') ?? '', /the try was ended after/);
      assert.deepEqual(at(failed, 'metadata', 'finalizers'), ['chains.tekton.dev/taskrun']);
    });
  });
}

function pathOf(namespace: string, name: string): string {
  return `/apis/tekton.dev/v1/namespaces/${namespace}/taskruns/${name}`;
}

async function createNamespace(world: World, name: string): Promise<void> {
  const { status } = await world.call('POST', '/api/v1/namespaces', {
    ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
  });
  assert.equal(status, 201);
}

async function createDone(world: World, namespace: string, name: string, status: unknown): Promise<void> {
  const run = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata: { name }, spec: {} };
  await world.call('POST', pathOf(namespace, '').slice(0, -1), run);
  const path = `${pathOf(namespace, name)}/status`;
  const answer = await world.call('PATCH', path, { status }, 'application/merge-patch+json');
  assert.equal(answer.status, 200);
}
