import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startSandbox } from '../../sandbox/index.ts';
import { at } from '../../src/json.ts';
import { doneStatus, ended, eventually, itemsAt, mark, openWorld, runningStatus } from './world.ts';

const leases = '/apis/coordination.k8s.io/v1/namespaces/tekton-chains/leases';
const quick = { 'lease-duration': '1500ms', 'renew-deadline': '1s', 'retry-period': '300ms' };
const onLeases = { when: ({ resource }: { readonly resource: string }) => resource === 'leases' };

async function worldWith(context: TestContext, timing: Readonly<Record<string, string>> = quick) {
  const sandbox = await startSandbox({ life: false });
  const world = await openWorld(sandbox);
  context.after(() => world.close());
  await world.configure({});
  const metadata = { name: 'tekton-chains-config-leader-election' };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: timing };
  await world.call('POST', '/api/v1/namespaces/tekton-chains/configmaps', body);
  const told = (text: string) => () => world.logged.some((line) => line.includes(text)) || undefined;
  const names = async () => (await itemsAt(world, leases)).map((lease) => at(lease, 'metadata', 'name'));
  return { sandbox, world, told, names };
}

test('without the right to keep a Lease, a replica signs all runs itself, and says so', async (context) => {
  const { sandbox, world, told } = await worldWith(context);
  sandbox.faults.add({ kind: 'status', code: 403 }, onLeases);
  await world.startController();
  await world.createRun('build', { status: doneStatus });
  assert.equal(mark(await ended(world, 'build'), 'signed'), 'true');
  await eventually(
    'it says so',
    told('signs all runs itself, since it may not keep a Lease in tekton-chains'),
  );
});

test('a replica whose Lease cannot be renewed in time stops, and continues when it can', async (context) => {
  const { sandbox, world, told } = await worldWith(context);
  await world.startController();
  await world.createRun('before', { status: doneStatus });
  await ended(world, 'before');
  const restore = sandbox.faults.add({ kind: 'status', code: 503 }, onLeases);
  await eventually('it stops', told('stopping work, since the Lease could not be renewed in time'));
  await world.createRun('meanwhile', { status: doneStatus });
  await pause(500);
  assert.equal(mark(await world.run('meanwhile'), 'signed'), undefined);
  restore();
  assert.equal(mark(await ended(world, 'meanwhile'), 'signed'), 'true');
});

test('a replica whose Lease was deleted joins again', async (context) => {
  const { world, told, names } = await worldWith(context);
  await world.startController({ name: 'a' });
  await eventually('it has joined', async () => ((await names()).length === 1 ? true : undefined));
  await world.call('DELETE', `${leases}/a`);
  await eventually('it notices', told('its Lease is gone'));
  await world.createRun('build', { status: doneStatus });
  assert.equal(mark(await ended(world, 'build'), 'signed'), 'true');
  assert.deepEqual(await names(), ['a']);
});

test('with one bucket, one replica works and the other takes over when it stops', async (context) => {
  const { world, names } = await worldWith(context, { ...quick, buckets: '1' });
  const first = await world.startController({ name: 'b' });
  await eventually('the first has joined', async () => ((await names()).length === 1 ? true : undefined));
  await pause(1_000);
  await world.startController({ name: 'a' });
  const views = async () =>
    (await itemsAt(world, leases)).map((lease) =>
      at(lease, 'metadata', 'annotations', 'chains.tekton.dev/members'),
    );
  await eventually('the older one works', async () =>
    (await views()).join(' ') === 'b b' ? true : undefined,
  );
  await world.createRun('held', { status: runningStatus });
  await first.stop();
  await world.writeStatus('held', doneStatus);
  assert.equal(mark(await ended(world, 'held'), 'signed'), 'true');
  assert.deepEqual(await views(), ['a']);
});

test('a replica that starts under the name of one that crashed takes its share at once', async (context) => {
  const { world } = await worldWith(context, {});
  const crashed = world.startProcess(['--name', 'pod-1']);
  await world.createRun('first', { status: doneStatus });
  await ended(world, 'first');
  await crashed.end('SIGKILL');
  await world.createRun('second', { status: doneStatus });
  const began = performance.now();
  await world.startController({ name: 'pod-1' });
  assert.equal(mark(await ended(world, 'second'), 'signed'), 'true');
  assert.ok(performance.now() - began < 8_000, 'long before the Lease would have expired');
});

test('a timing that is not allowed is named in the log, and the defaults are in force', async (context) => {
  const { world, told } = await worldWith(context, { 'lease-duration': 'long' });
  await world.startController();
  await world.createRun('build', { status: doneStatus });
  assert.equal(mark(await ended(world, 'build'), 'signed'), 'true');
  assert.ok(told('tekton-chains-config-leader-election: lease-duration is')(), world.logged.join(''));
});
