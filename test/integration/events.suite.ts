import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { at, type Json } from '../../src/json.ts';
import { startRegistry } from '../../sandbox/registry/index.ts';
import { RepositoryView } from '../store/oci/world.ts';
import {
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

/** A cluster with this configuration, and a controller at work on it. */
export async function controllerWith(
  context: TestContext,
  cluster: TestCluster,
  data: Readonly<Record<string, string>>,
): Promise<World> {
  const world = await openWorld(cluster);
  context.after(() => world.close());
  await world.configure(data);
  await world.startController();
  return world;
}

async function eventsOf(world: World, name: string): Promise<readonly Json[]> {
  const selector = encodeURIComponent(`involvedObject.name=${name}`);
  return itemsAt(world, `/api/v1/namespaces/default/events?fieldSelector=${selector}`);
}

/** The Events about a TaskRun or PipelineRun, once there is one: `Normal Signed: …`. */
export async function told(world: World, name: string): Promise<readonly string[]> {
  const events = await eventually(`an Event about ${name}`, async () => {
    const found = await eventsOf(world, name);
    return found.length > 0 ? found : undefined;
  });
  const text = (event: Json, key: string) => String(at(event, key));
  return events.map((event) => `${text(event, 'type')} ${text(event, 'reason')}: ${text(event, 'message')}`);
}

/** What people see on a run, on any cluster. */
export function eventsSuite(name: string, start: () => Promise<TestCluster>): void {
  suite(`the Events on a run of ${name}`, () => {
    test('none of a run whose annotations hold all of it', async (context) => {
      const world = await controllerWith(context, await start(), {});
      for (const name of ['build', 'another']) {
        await world.createRun(name, { status: doneStatus });
        await ended(world, name);
      }
      assert.deepEqual(await eventsOf(world, 'build'), []);
    });

    test('Signed, with the tag in the registry, of a run that built an image', async (context) => {
      const registry = await startRegistry();
      context.after(() => registry.close());
      const image = await new RepositoryView(registry, 'acme/app').pushImage('an image');
      const world = await controllerWith(context, await start(), {});
      await world.createRun('build', {
        status: { ...doneStatus, results: [{ name: 'IMAGES', value: image }] },
      });
      assert.equal(mark(await ended(world, 'build'), 'signed'), 'true');
      const tag = `${registry.host}/acme/app:${image.slice(image.indexOf('@') + 1).replace(':', '-')}.sig`;
      const message = `tekton: annotations of the run; oci: ${tag}`;
      assert.deepEqual(await told(world, 'build'), [`Normal Signed: ${message}`]);
    });

    test('Signed of every run, where events.signed is true', async (context) => {
      const world = await controllerWith(context, await start(), { 'events.signed': 'true' });
      await world.createRun('build', { status: doneStatus });
      assert.deepEqual(await told(world, 'build'), ['Normal Signed: tekton: annotations of the run']);
    });

    test('Skipped, where events.skipped is true: of a run of somebody else, and of one that is turned off', async (context) => {
      const off = { 'artifacts.taskrun.signer': 'none', 'artifacts.oci.signer': 'none' };
      const world = await controllerWith(context, await start(), { ...off, 'events.skipped': 'true' });
      await world.createRun('theirs', { spec: { managedBy: 'example.com/other' }, status: doneStatus });
      await world.createRun('off', { status: doneStatus });
      const reason = 'spec.managedBy is "example.com/other", which filter.managed-by does not list';
      assert.deepEqual(await told(world, 'theirs'), [`Normal Skipped: ${reason}`]);
      assert.deepEqual(await told(world, 'off'), ['Normal Skipped: artifacts.taskrun.signer is none']);
    });

    test('Waiting, with the names of its TaskRuns, of a PipelineRun that has been done for long', async (context) => {
      const world = await controllerWith(context, await start(), {});
      await world.createRun('slow', { metadata: await world.ownedBy('release'), status: runningStatus });
      const childReferences = [{ kind: 'TaskRun', name: 'slow' }];
      await world.writeStatus('release', { ...doneStatus, childReferences }, 'v1', 'PipelineRun');
      assert.deepEqual(await told(world, 'release'), [
        'Normal Waiting: it waits until its TaskRuns are signed: default/slow',
      ]);
    });

    test('Held, with the time until when, of a run that is deleted while it is in progress', async (context) => {
      const world = await controllerWith(context, await start(), {});
      await world.createRun('build', { status: runningStatus });
      await eventually('the finalizer', async () => at(await world.run('build'), 'metadata', 'finalizers'));
      await world.call('DELETE', `${taskRuns}/build`);
      const [event = ''] = await told(world, 'build');
      assert.match(event, /^Normal Held: it is being deleted unfinished, .* ends at 20\d\d-.*Z$/);
    });
  });
}
