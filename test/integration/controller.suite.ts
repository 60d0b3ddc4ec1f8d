import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Controller } from '../../src/controller/index.ts';
import { verify } from '../../src/index.ts';
import { at } from '../../src/json.ts';
import {
  callsOnRuns,
  doneStatus,
  ended,
  eventually,
  itemsAt,
  mark,
  openWorld,
  runningStatus,
  type TestCluster,
  taskRuns,
  type World,
} from './world.ts';

/** What the controller does with runs, on any cluster. */
export function controllerSuite(name: string, start: () => Promise<TestCluster>): void {
  describe(`the controller on ${name}`, () => {
    let world: World;
    let controller: Controller;
    before(async () => {
      world = await openWorld(await start());
      await world.configure({ 'artifacts.oci.storage': 'tekton', 'signing.deletion-grace': '2s' });
      await world.createRun('signed-before', {
        metadata: { annotations: { 'chains.tekton.dev/signed': 'true' } },
        status: doneStatus,
      });
      controller = await world.startController();
    });
    after(() => world.close());

    /** Calls on runs while something happens; those that list and watch don't count. */
    async function callsWhile(happening: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
      const earlier = await callsOnRuns(controller);
      await happening();
      const later = await callsOnRuns(controller);
      const spent = Object.entries(later).map(
        ([verb, count]) => [verb, count - (earlier[verb] ?? 0)] as const,
      );
      return Object.fromEntries(
        spent.filter(([verb, count]) => count > 0 && verb !== 'list' && verb !== 'watch'),
      );
    }

    it('costs two calls for a run seen running and then finished', async () => {
      const calls = await callsWhile(async () => {
        await world.createRun('two-calls');
        const held = await eventually('the finalizer', async () => {
          const run = await world.run('two-calls');
          return at(run, 'metadata', 'finalizers') === undefined ? undefined : run;
        });
        assert.deepEqual(at(held, 'metadata', 'finalizers'), ['chains.tekton.dev/taskrun']);
        await world.writeStatus('two-calls', runningStatus);
        await world.writeStatus('two-calls', doneStatus);
        const run = await ended(world, 'two-calls');
        assert.equal(at(run, 'metadata', 'finalizers'), undefined);
      });
      assert.deepEqual(calls, { apply: 2 });
    });

    it('costs one call for a run first seen finished, and none for one that is signed', async () => {
      await world.createRun('one-call', { status: doneStatus });
      await ended(world, 'one-call');
      await controller.stop();
      await world.createRun('one-call-more', { status: doneStatus });
      controller = await world.startController();
      await ended(world, 'one-call-more');
      assert.equal((await callsOnRuns(controller))['apply'], 1);
    });

    it('leaves a payload and a signature that verify, and both marks', async () => {
      await world.createRun('verifies', { status: doneStatus });
      const run = await ended(world, 'verifies');
      assert.equal(mark(run, 'signed'), 'true');
      assert.equal(at(run, 'metadata', 'labels', 'chains.tekton.dev/signed'), 'true');
      assert.equal(mark(run, 'signed-uid'), at(run, 'metadata', 'uid'));
      const { verified, checks } = await verify({ run, keys: [world.publicKey] });
      assert.ok(verified, JSON.stringify(checks));
    });

    it('signs a rerun that inherited the marks of another run', async () => {
      await world.createRun('first', { status: doneStatus });
      const first = await ended(world, 'first');
      const { annotations, labels } = Object(at(first, 'metadata'));
      await world.createRun('rerun', { metadata: { annotations, labels } });
      await world.writeStatus('rerun', doneStatus);
      const rerun = await eventually('the rerun is signed for its own uid', async () => {
        const run = await world.run('rerun');
        return mark(run, 'signed-uid') === at(run, 'metadata', 'uid') ? run : undefined;
      });
      assert.ok((await verify({ run: rerun, keys: [world.publicKey] })).verified);
    });

    it('finds a finished rerun with inherited marks that came while no controller was there', async () => {
      await controller.stop();
      const { annotations, labels } = Object(at(await world.run('first'), 'metadata'));
      await world.createRun('late-rerun', { metadata: { annotations, labels }, status: doneStatus });
      controller = await world.startController();
      await eventually('the sweep found it', async () => {
        const run = await world.run('late-rerun');
        return mark(run, 'signed-uid') === at(run, 'metadata', 'uid') ? run : undefined;
      });
    });

    it('believes the mark of another Chains on a run that is done', async () => {
      const calls = await callsWhile(async () => {
        await world.createRun('elsewhere', {
          metadata: { annotations: { 'chains.tekton.dev/signed': 'true' }, finalizers: ['example.com/kept'] },
          status: doneStatus,
        });
        await world.createRun('after-elsewhere', { status: doneStatus });
        await ended(world, 'after-elsewhere');
      });
      assert.ok((calls['apply'] ?? 0) >= 1);
      assert.equal(mark(await world.run('signed-before'), 'payload-taskrun'), undefined);
    });

    it('signs again when the marks are removed', async () => {
      await world.createRun('again', { status: doneStatus });
      const before = mark(await ended(world, 'again'), 'signature-taskrun');
      const gone = {
        annotations: { 'chains.tekton.dev/signed': null },
        labels: { 'chains.tekton.dev/signed': null },
      };
      await world.call('PATCH', `${taskRuns}/again`, { metadata: gone }, 'application/merge-patch+json');
      await eventually('a new signature', async () => {
        const run = await world.run('again');
        return mark(run, 'signed') === 'true' && mark(run, 'signature-taskrun') !== before ? run : undefined;
      });
    });

    it('shows the marks of a deleted run to a watcher before it goes', async () => {
      await world.createRun('deleted', { status: runningStatus });
      await eventually('the finalizer', async () => at(await world.run('deleted'), 'metadata', 'finalizers'));
      await world.call('DELETE', `${taskRuns}/deleted`);
      const { body } = await world.call('GET', `${taskRuns}/deleted`);
      assert.ok(at(body, 'metadata', 'deletionTimestamp') !== undefined);
      const seen: (string | undefined)[] = [];
      await world.writeStatus('deleted', doneStatus);
      await eventually('the run goes', async () => {
        const run = await world.run('deleted');
        if (run === undefined) return true;
        seen.push(mark(run, 'signed'));
        return undefined;
      });
      const events = await watchFrom(world, String(at(body, 'metadata', 'resourceVersion')), 'deleted');
      assert.ok(
        events.some(
          (event) => mark(event, 'signed') === 'true' && mark(event, 'signature-taskrun') !== undefined,
        ),
      );
    });

    it('lets a deleted run that never finishes go after the grace, and says why', async () => {
      await world.createRun('abandoned', { status: runningStatus });
      await eventually('the finalizer', async () =>
        at(await world.run('abandoned'), 'metadata', 'finalizers'),
      );
      await world.call('DELETE', `${taskRuns}/abandoned`);
      await eventually('the run goes', async () =>
        (await world.run('abandoned')) === undefined ? true : undefined,
      );
      const event = await eventually('the Event', () => eventAbout(world, 'abandoned', 'NotSigned'));
      assert.match(String(at(event, 'message')), /never finished/);
    });

    it('takes the old finalizer off, and its own that somebody else put there', async () => {
      const held = ['chains.tekton.dev', 'chains.tekton.dev/taskrun', 'example.com/kept'];
      await world.createRun('old-finalizer', { metadata: { finalizers: held }, status: doneStatus });
      await ended(world, 'old-finalizer');
      await eventually('only the other one is left', async () => {
        const left = at(await world.run('old-finalizer'), 'metadata', 'finalizers');
        return Array.isArray(left) && left.length === 1 && left[0] === 'example.com/kept' ? true : undefined;
      });
    });

    it('leaves runs alone that another controller manages', async () => {
      await world.createRun('managed', { spec: { managedBy: 'example.com/other' }, status: doneStatus });
      await world.createRun('after-managed', { status: doneStatus });
      await ended(world, 'after-managed');
      assert.equal(mark(await world.run('managed'), 'signed'), undefined);
    });

    it('signs the images of a v1beta1 run with PipelineResources', async () => {
      const digest = `sha256:${'a1'.repeat(32)}`;
      await world.createRun('beta', {
        version: 'v1beta1',
        status: {
          ...doneStatus,
          taskSpec: { resources: { outputs: [{ name: 'image', type: 'image' }] } },
          resourcesResult: [
            { key: 'url', value: 'registry.example/app', resourceName: 'image' },
            { key: 'digest', value: digest, resourceName: 'image' },
          ],
        },
      });
      const run = await ended(world, 'beta');
      const payload = Buffer.from(mark(run, 'payload-a1a1a1a1a1a1') ?? '', 'base64').toString();
      assert.equal(at(JSON.parse(payload), 'critical', 'image', 'docker-manifest-digest'), digest);
    });

    it('marks a run whose results have the wrong type as failed, with the reason', async () => {
      await world.createRun('wrong-type', { status: { ...doneStatus, results: 'none' } });
      const run = await ended(world, 'wrong-type');
      assert.equal(mark(run, 'signed'), 'failed');
      assert.match(mark(run, 'message') ?? '', /status\.results/);
      await eventually('the Event', () => eventAbout(world, 'wrong-type', 'SigningFailed'));
    });

    it('says so when the payload does not fit into annotations, and gives the sizes', async () => {
      await world.createRun('too-large', {
        status: { ...doneStatus, results: [{ name: 'log', value: 'x'.repeat(300_000) }] },
      });
      const run = await ended(world, 'too-large');
      assert.equal(mark(run, 'signed'), 'failed');
      assert.match(mark(run, 'message') ?? '', /262144/);
    });
  });
}

async function eventAbout(world: World, name: string, reason: string) {
  const events = await itemsAt(
    world,
    `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3D${name}`,
  );
  return events.find((event) => at(event, 'reason') === reason);
}

/** The objects of all changes to a run since a resourceVersion. */
async function watchFrom(world: World, resourceVersion: string, name: string) {
  const query = `watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}&fieldSelector=metadata.name%3D${name}`;
  const lines = await world.text(`${taskRuns}?${query}`);
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Object(at(JSON.parse(line), 'object')));
}
