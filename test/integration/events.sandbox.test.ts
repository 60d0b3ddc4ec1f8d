import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSandbox } from '../../sandbox/index.ts';
import { controllerWith, eventsSuite, told } from './events.suite.ts';
import { doneStatus, ended, eventually, mark, openWorld } from './world.ts';

eventsSuite('the sandbox', () => startSandbox({ life: false }));

test('NotMarked, with what the API server says, of a run on which we may not write', async (context) => {
  const sandbox = await startSandbox({ life: false });
  const world = await controllerWith(context, sandbox, {});
  const when = ({ resource, verb }: { readonly resource: string; readonly verb: string }) =>
    resource === 'taskruns' && verb === 'patch';
  sandbox.faults.add({ kind: 'status', code: 403 }, { when });
  await world.createRun('build', { status: doneStatus });
  const [event = ''] = await told(world, 'build');
  assert.match(event, /^Warning NotMarked: .*403.*compare the account's role with `deploy\/`\.$/);
  sandbox.faults.clear();
  assert.equal(mark(await ended(world, 'build'), 'signed'), 'true');
});

test("an Event that can't be written fails no run, and the log says so", async (context) => {
  const sandbox = await startSandbox({ life: false });
  const world = await controllerWith(context, sandbox, { 'events.signed': 'true' });
  const when = ({ resource }: { readonly resource: string }) => resource === 'events';
  sandbox.faults.add({ kind: 'status', code: 403 }, { when });
  await world.createRun('build', { status: doneStatus });
  assert.equal(mark(await ended(world, 'build'), 'signed'), 'true');
  await eventually('the log says it', () =>
    world.logged.some((line) => line.includes('the Event Signed could not be written')) ? true : undefined,
  );
});

test('SigningFailed, with the size as the reason, of a run whose payloads the API server refused', async (context) => {
  const sandbox = await startSandbox({ life: false });
  const world = await openWorld(sandbox);
  context.after(() => world.close());
  await world.configure({});
  await world.createRun('build', { status: doneStatus });
  const when = ({ resource, verb }: { readonly resource: string; readonly verb: string }) =>
    resource === 'taskruns' && verb === 'patch';
  sandbox.faults.add({ kind: 'status', code: 413 }, { when, count: 1 });
  await world.startController();
  assert.equal(mark(await ended(world, 'build'), 'signed'), 'failed');
  const [event = ''] = await told(world, 'build');
  assert.match(event, /^Warning SigningFailed: the API server refused the payloads: .*413/);
});
