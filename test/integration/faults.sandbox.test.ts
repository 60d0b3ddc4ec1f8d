import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { verify } from '../../src/index.ts';
import { at } from '../../src/json.ts';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';
import { doneStatus, ended, eventually, mark, openWorld, runningStatus, type World } from './world.ts';

const runs = 30;

/** What goes wrong while runs pass; the controller's requests only, so that the test itself can go on. */
const faults: Readonly<Record<string, (sandbox: Sandbox) => void>> = {
  'an API server that is slow': ({ faults: f }) => void f.add({ kind: 'latency', milliseconds: 150 }, ours),
  '429 with Retry-After': ({ faults: f }) =>
    void f.add({ kind: 'status', code: 429, retryAfter: 1 }, { ...ours, probability: 0.3 }),
  '500 for every other request': ({ faults: f }) =>
    void f.add({ kind: 'status', code: 500 }, { ...ours, probability: 0.5 }),
  'connections reset before a write takes effect': ({ faults: f }) =>
    void f.add({ kind: 'reset', when: 'before' }, { ...ours, probability: 0.3 }),
  'connections reset after a write took effect': ({ faults: f }) =>
    void f.add({ kind: 'reset', when: 'after' }, { ...ours, probability: 0.3 }),
  'watches that break': (sandbox) => every(100, 15, () => sandbox.faults.dropWatches()),
  'watches that fall silent': (sandbox) => every(500, 3, () => sandbox.faults.silenceWatches()),
  'compaction while watches break': (sandbox) =>
    every(150, 10, () => {
      sandbox.faults.compact();
      sandbox.faults.dropWatches();
    }),
  'all of them at once': (sandbox) => {
    for (const [name, strike] of Object.entries(faults)) if (name !== 'all of them at once') strike(sandbox);
  },
};

/** Faults end after a while: what is asked is that everything goes on then, and went on as far as it could. */
const ours = {
  count: 15,
  when: (request: { readonly userAgent: string }) => request.userAgent.startsWith('tekton-chains/'),
};

function every(milliseconds: number, times: number, strike: () => void): void {
  let left = times;
  const timer = setInterval(() => {
    strike();
    left -= 1;
    if (left === 0) clearInterval(timer);
  }, milliseconds);
}

// Each has a cluster of its own, and most of their time is waiting.
describe('the controller', { concurrency: 5 }, () => {
  for (const [name, strike] of Object.entries(faults)) {
    it(`loses nothing, and keeps its calls few, with ${name}`, async (test) => {
      const sandbox = await startSandbox({ life: false, bookmarkEvery: 300 });
      const world = await openWorld(sandbox);
      test.after(() => world.close());
      await world.configure({});
      await world.startController();
      await eventually('the controller knows all runs', () =>
        world.logged.some((line) => line.includes('are known')) ? true : undefined,
      );
      strike(sandbox);
      await passRuns(world);
      for (let index = 0; index < runs; index += 1) {
        const run = await eventually(`run-${index} is marked and let go`, async () => {
          const now = await world.run(`run-${index}`);
          return mark(now, 'signed') !== undefined && at(now, 'metadata', 'finalizers') === undefined
            ? now
            : undefined;
        });
        assert.ok((await verify({ run, keys: [world.publicKey] })).verified);
      }
      const spent = sandbox.requests.all.filter(ours.when).length;
      assert.ok(spent < 25 * runs, `${spent} calls for ${runs} runs`);
      sandbox.faults.clear();
      await settled(sandbox);
    });
  }

  it('asks an API server that is down less and less often', async (test) => {
    const sandbox = await startSandbox({ life: false });
    const world = await openWorld(sandbox);
    test.after(() => world.close());
    await world.configure({});
    await world.startController();
    await world.createRun('before', { status: doneStatus });
    await ended(world, 'before');
    sandbox.faults.add({ kind: 'status', code: 503 }, ours);
    sandbox.faults.dropWatches();
    sandbox.requests.reset();
    await world.createRun('during', { status: doneStatus });
    await pause(4_000);
    const spent = sandbox.requests.all.filter(ours.when).length;
    sandbox.faults.clear();
    assert.ok(spent > 0 && spent < 60, `${spent} calls in 4 s`);
    await ended(world, 'during');
  });
});

/** Runs come, run and finish; each third is finished when it is first seen. */
async function passRuns(world: World): Promise<void> {
  for (let index = 0; index < runs; index += 1) {
    await world.createRun(`run-${index}`, { status: index % 3 === 0 ? doneStatus : runningStatus });
    await pause(20);
  }
  for (let index = 0; index < runs; index += 1) await world.writeStatus(`run-${index}`, doneStatus);
}

/** With nothing to do there is a second without a call but those that watch and sweep. */
async function settled(sandbox: Sandbox): Promise<void> {
  await eventually('a quiet second', async () => {
    sandbox.requests.reset();
    await pause(1_000);
    return sandbox.requests.all.every(({ verb }) => verb === 'watch' || verb === 'list') ? true : undefined;
  });
}
