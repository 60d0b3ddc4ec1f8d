import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { verify } from '../../src/index.ts';
import { at } from '../../src/json.ts';
import { isThrough, recordRuns } from './run-record.ts';
import {
  doneStatus,
  eventually,
  mark,
  openWorld,
  runningStatus,
  type TestCluster,
  type World,
} from './world.ts';

/** How many runs come, and how often the controller is killed at least. */
export interface KilledSize {
  readonly runs: number;
  readonly kills: number;
}

/** What survives a controller that is killed at random, again and again. */
export function killedSuite(
  name: string,
  start: () => Promise<TestCluster>,
  { runs, kills: least }: KilledSize,
): void {
  describe(`a controller that is killed at random on ${name}`, () => {
    let world: World;
    before(async () => {
      world = await openWorld(await start());
      await world.configure({});
    });
    after(() => world.close());

    it(`signs each of ${runs} runs once, and leaves no finalizer`, { timeout: 180_000 }, async (test) => {
      const record = await recordRuns(world);
      test.after(() => record.stop());
      let allCreated = false;
      const creating = createRuns(world, runs).then(() => {
        allCreated = true;
      });
      let kills = 0;
      for (; !(allCreated && kills >= least); kills += 1) {
        const controller = world.startProcess();
        await pause(250 + 1_000 * Math.random());
        await controller.end('SIGKILL');
      }
      await creating;
      const last = world.startProcess();
      await eventually('every run is marked and let go', () =>
        record.all().every(isThrough) && record.all().length === runs ? true : undefined,
      );
      await eventually('the last controller has started', () =>
        last.log().includes('started') ? true : undefined,
      );
      assert.equal(await last.end('SIGTERM'), 0);

      for (const run of record.all()) {
        const { verified, checks } = await verify({ run, keys: [world.publicKey] });
        assert.ok(verified, JSON.stringify(checks));
        assert.equal(mark(run, 'signed'), 'true');
        const signatures = record.signaturesOf(String(at(run, 'metadata', 'uid')));
        assert.equal(
          signatures.size,
          1,
          `${String(at(run, 'metadata', 'name'))} was signed ${signatures.size} times`,
        );
      }
    });
  });
}

/** Runs come at a steady pace: some seen from the start, some only when they are finished. */
async function createRuns(world: World, runs: number): Promise<void> {
  for (let index = 0; index < runs; index += 1) {
    const name = `run-${index}`;
    if (index % 3 === 0) {
      await world.createRun(name, { status: doneStatus });
    } else {
      await world.createRun(name, { status: runningStatus });
      setTimeout(() => void world.writeStatus(name, doneStatus), 400 * Math.random());
    }
    await pause(20);
  }
}
