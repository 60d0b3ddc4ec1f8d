import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startSandbox } from '../../sandbox/index.ts';
import type { ControllerProcess } from './controller-process.ts';
import { startSilentRegistry } from './silent-registry.ts';
import { doneStatus, ended, eventually, openWorld, type World } from './world.ts';

/** A cluster with a run that hangs, since its registry never answers. */
async function hangingWorld(context: TestContext) {
  const registry = await startSilentRegistry();
  const world = await openWorld(await startSandbox({ life: false }));
  context.after(async () => {
    await world.close();
    await registry.close();
  });
  await world.configure({ 'artifacts.oci.storage': 'oci' });
  await world.createRun('a-hanging-one', { status: registry.status });
  const hangs = (more = 1) =>
    eventually('the run hangs', () => (registry.asked() >= more ? true : undefined));
  return { registry, world, hangs };
}

function logs(started: ControllerProcess, what: RegExp): Promise<true> {
  return eventually(
    () => `${String(what)} in the log: ${started.log()}`,
    () => (what.test(started.log()) ? true : undefined),
  );
}

/** The port that a controller's process serves this on. */
async function portOf(started: ControllerProcess, what: 'healthPort' | 'metricsPort'): Promise<string> {
  const port = await eventually(
    'it has started',
    () => new RegExp(`"${what}":(\\d+)`).exec(started.log())?.[1],
  );
  return port;
}

describe('the process of the controller', () => {
  for (const [first, second, code] of [
    ['SIGTERM', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGTERM', 'SIGTERM', 143],
  ] as const) {
    it(`is ended at once by ${second} while it stops after ${first}`, async (context) => {
      const { world, hangs } = await hangingWorld(context);
      const started = world.startProcess();
      await hangs();
      started.signal(first);
      await logs(started, /stopping: what is in flight is finished first; a second signal ends it at once/);
      started.signal(second);
      assert.equal(await started.ended, code);
      assert.match(started.log(), /ending at once/);
      assert.doesNotMatch(started.log(), /"stopped"/);
    });
  }

  for (const what of ['metrics', 'health'] as const) {
    it(`ends with an error when the port for ${what} is in use`, async (context) => {
      const { world } = await hangingWorld(context);
      const port = await portOf(world.startProcess(), `${what}Port`);
      const other = world.startProcess([`--${what}-port`, port]);
      assert.equal(await other.ended, 2);
      assert.match(other.log(), new RegExp(`error: port ${port} for ${what} is in use`));
    });
  }

  it('begins with other runs after it was killed, and signs all that can be signed', async (context) => {
    const { world, hangs } = await hangingWorld(context);
    const options = ['--state-dir', await mkdtemp(join(world.folder, 'state-'))];
    const first = world.startProcess(options);
    await hangs();
    await first.end('SIGKILL');
    const [, folder = ''] = options;
    assert.match(await readFile(join(folder, 'tries'), 'utf8'), /^tried 0 TaskRun default\/a-hanging-one /m);
    await createRuns(world, 20);
    const second = world.startProcess(options);
    for (let index = 0; index < 20; index += 1) await ended(world, `run-${index}`);
    assert.match(second.log(), /a-hanging-one was being tried when the controller crashed \(1\)/);
    await hangs(2);
  });
});

async function createRuns(world: World, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await world.createRun(`run-${index}`, { status: doneStatus });
}
