import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Controller } from '../../src/controller/index.ts';
import { at, type JsonObject, listAt } from '../../src/json.ts';
import {
  callsOnRuns,
  doneStatus,
  ended,
  eventually,
  itemsAt,
  mark,
  openWorld,
  runningStatus,
  taskRuns,
  type TestCluster,
  type World,
} from './world.ts';

const leases = '/apis/coordination.k8s.io/v1/namespaces/tekton-chains/leases';

/** How replicas share the runs. */
export function membersSuite(name: string, start: () => Promise<TestCluster>): void {
  describe(`three replicas on ${name}`, () => {
    let world: World;
    const replicas: Controller[] = [];
    before(async () => {
      world = await openWorld(await start());
      await world.configure({});
      await setTiming(world, { 'lease-duration': '3s', 'renew-deadline': '2s', 'retry-period': '500ms' });
      for (const replica of ['a', 'b', 'c']) replicas.push(await world.startController({ name: replica }));
      await allSee(world, ['a', 'b', 'c']);
    });
    after(() => world.close());

    it('share the runs among them: each run is signed once, with the calls of a single one', async () => {
      const names = Array.from({ length: 60 }, (_, index) => `shared-${index}`);
      const earlier = await callsOf(replicas);
      await Promise.all(names.map((run) => world.createRun(run)));
      await eventually('all are held', async () => {
        const runs = await itemsAt(world, taskRuns);
        const held = runs.filter((run) => listAt(run, 'metadata', 'finalizers').length > 0);
        return held.length === names.length ? true : undefined;
      });
      await Promise.all(names.map((run) => world.writeStatus(run, doneStatus)));
      for (const run of names) assert.equal(mark(await ended(world, run), 'signed'), 'true');
      const calls = (await callsOf(replicas)).map((after, index) => after - (earlier[index] ?? 0));
      assert.ok(
        calls.every((count) => count > 0),
        `each does some of it: ${calls.join(', ')}`,
      );
      const all = calls.reduce((sum, count) => sum + count, 0);
      // Two each, and another one where a run changed just before the write, as on a busy machine.
      assert.ok(all <= names.length * 2.05, `${all} calls for ${names.length} runs`);
    });

    it('give a PipelineRun and its TaskRuns to one of them', async () => {
      for (let index = 0; index < 6; index += 1) {
        const pipelineRun = `pipeline-${index}`;
        const tasks = [0, 1, 2].map((task) => `${pipelineRun}-task-${task}`);
        for (const task of tasks)
          await world.createRun(task, { metadata: await world.ownedBy(pipelineRun), status: doneStatus });
        const childReferences = tasks.map((task) => ({
          ...{ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name: task, pipelineTaskName: task },
        }));
        await world.writeStatus(pipelineRun, { ...doneStatus, childReferences }, 'v1', 'PipelineRun');
        assert.equal(mark(await ended(world, pipelineRun, 'PipelineRun'), 'signed'), 'true');
      }
    });

    it('continue at once with the share of one that stops, which gives its Lease up', async () => {
      await Promise.all(
        Array.from({ length: 12 }, (_, index) => world.createRun(`left-${index}`, { status: runningStatus })),
      );
      await replicas.pop()?.stop();
      assert.deepEqual(await memberNames(world), ['a', 'b']);
      for (let index = 0; index < 12; index += 1) {
        await world.writeStatus(`left-${index}`, doneStatus);
        assert.equal(mark(await ended(world, `left-${index}`), 'signed'), 'true');
      }
    });

    it('take one more in, which gets a share of its own', async () => {
      replicas.push(await world.startController({ name: 'd' }));
      await allSee(world, ['a', 'b', 'd']);
      const before = await callsOf(replicas);
      const names = Array.from({ length: 30 }, (_, index) => `joined-${index}`);
      await Promise.all(names.map((run) => world.createRun(run, { status: doneStatus })));
      for (const run of names) await ended(world, run);
      const after = await callsOf(replicas);
      assert.ok((after[2] ?? 0) > (before[2] ?? 0), 'the new one has signed');
    });

    it('put out one that no longer renews its Lease, and sign what was its share', async () => {
      const dead = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          name: 'dead',
          labels: { 'app.kubernetes.io/name': 'tekton-chains', 'app.kubernetes.io/component': 'member' },
          annotations: { 'chains.tekton.dev/members': 'a,b,d,dead' },
        },
        spec: { holderIdentity: 'dead', leaseDurationSeconds: 3 },
      };
      assert.equal((await world.call('POST', leases, dead)).status, 201);
      const names = Array.from({ length: 20 }, (_, index) => `orphan-${index}`);
      await Promise.all(names.map((run) => world.createRun(run, { status: doneStatus })));
      for (const run of names) assert.equal(mark(await ended(world, run), 'signed'), 'true');
      assert.deepEqual(await memberNames(world), ['a', 'b', 'd']);
    });
  });
}

async function setTiming(world: World, data: JsonObject): Promise<void> {
  const metadata = { name: 'tekton-chains-config-leader-election' };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
  await world.call('POST', '/api/v1/namespaces/tekton-chains/configmaps', body);
}

async function memberNames(world: World): Promise<readonly string[]> {
  return (await itemsAt(world, leases)).map((lease) => String(at(lease, 'metadata', 'name'))).toSorted();
}

/** Waits until each member works with all of these. */
async function allSee(world: World, names: readonly string[]): Promise<void> {
  await eventually(`all members are ${names.join(', ')}`, async () => {
    const views = (await itemsAt(world, leases)).map((lease) =>
      at(lease, 'metadata', 'annotations', 'chains.tekton.dev/members'),
    );
    return views.length === names.length && views.every((view) => view === names.join(','))
      ? true
      : undefined;
  });
}

/** Writes of each replica on TaskRuns. */
async function callsOf(replicas: readonly Controller[]): Promise<readonly number[]> {
  return Promise.all(
    replicas.map(async (replica) => {
      const { apply = 0, patch = 0, get = 0 } = await callsOnRuns(replica);
      return apply + patch + get;
    }),
  );
}
