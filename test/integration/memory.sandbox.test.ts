import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startSandbox } from '../../sandbox/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { doneStatus, ended, eventually, mark, openWorld, type World } from './world.ts';

const uid = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

it('signs 100 runs among 10,000 signed ones within 40 MiB of a start with an empty cluster', {
  timeout: 240_000,
}, async (test) => {
  const sandbox = await startSandbox({ life: false });
  const world = await openWorld(sandbox);
  test.after(() => world.close());
  await world.configure({});

  const empty = await peakWhile(world, async () => {
    await world.createRun('only-one', { status: doneStatus });
    await ended(world, 'only-one');
  });
  for (let index = 0; index < 10_000; index += 1) sandbox.objects.put(signedRun(index));
  for (let index = 0; index < 100; index += 1)
    await world.createRun(`unsigned-${index}`, { status: doneStatus });
  const full = await peakWhile(world, async () => {
    for (let index = 0; index < 100; index += 1) {
      assert.equal(mark(await ended(world, `unsigned-${index}`), 'signed'), 'true');
    }
  });
  assert.ok(full < empty + 40, `${full} MiB at peak, ${empty} with an empty cluster`);
});

/** The most memory, in MiB, that a controller held while something happened. */
async function peakWhile(world: World, happening: () => Promise<void>): Promise<number> {
  const controller = world.startProcess();
  await eventually('the controller knows all runs', () =>
    controller.log().includes('are known') ? true : undefined,
  );
  await happening();
  const peak = await controller.peakMemory();
  assert.equal(await controller.end('SIGTERM'), 0);
  return peak;
}

function signedRun(index: number): JsonObject {
  const annotations = {
    'chains.tekton.dev/signed': 'true',
    'chains.tekton.dev/signed-uid': uid(index),
    'chains.tekton.dev/payload-taskrun': 'x'.repeat(4_000),
  };
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      name: `signed-${index}`,
      namespace: 'default',
      uid: uid(index),
      annotations,
      labels: { 'chains.tekton.dev/signed': 'true' },
    },
    spec: {},
    status: { ...doneStatus, message: 'y'.repeat(3_000) },
  };
}
