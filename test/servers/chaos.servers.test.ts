import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { away, deleted, everyAway, frozen, killed, type Report, skewed } from './chaos.ts';

const runs = 300;
const trial = { runs, replicas: 3 };

function assertWell({ unsigned, signedTwice, held, withMessage }: Report): void {
  assert.deepEqual(
    { unsigned, signedTwice, held, withMessage },
    { unsigned: 0, signedTwice: 0, held: 0, withMessage: 0 },
  );
}

describe('every run is signed once and released', { concurrency: 1 }, () => {
  it('when one of three replicas is killed every one to three seconds', async () => {
    assertWell(await killed({ runs: 600, replicas: 3 }, [1_000, 3_000]));
  });

  it('when a replica is frozen until the others have its share, and wakes up', async () => {
    assertWell(await frozen(trial, 15));
  });

  it('when the clocks of the replicas are half a minute off', async () => {
    assertWell(await skewed({ runs: 100, replicas: 3 }));
  });

  it('when runs are deleted while they finish', async () => {
    const report = await deleted({ runs: 100, replicas: 2 });
    assertWell(report);
    assert.equal(report.goneUnsigned, 0);
  });

  // `npm run chaos` measures how soon; here others share the machine, and each run's own backoff would take a minute.
  for (const what of everyAway)
    it(`soon after the end of an outage: ${what}`, async () => {
      const report = await away(what, { runs: 150, replicas: 2 }, 15);
      assertWell(report);
      assert.ok(report.seconds < 30, `the last one was signed ${report.seconds} s later`);
    });
});
