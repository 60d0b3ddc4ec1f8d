import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Tries } from '../../src/members/tries.ts';

test('handing over waits for what is given away, and for nothing else', async () => {
  const tries = new Tries();
  const [kept, given] = [tries.begin(), tries.begin()];
  kept.ofFamily('kept');
  given.ofFamily('given');
  let isOver = false;
  const handing = tries
    .handOver((family) => family === 'kept', 60_000)
    .then(() => {
      isOver = true;
    });
  await pause(20);
  assert.equal(isOver, false);
  given.end();
  await handing;
  assert.equal(kept.signal.aborted, false);
});

test('what is given away and takes too long is stopped', async () => {
  const tries = new Tries();
  const [kept, given] = [tries.begin(), tries.begin()];
  kept.ofFamily('kept');
  given.ofFamily('given');
  given.signal.addEventListener('abort', () => given.end());
  await tries.handOver((family) => family === 'kept', 20);
  assert.deepEqual([kept.signal.aborted, given.signal.aborted], [false, true]);
});

test('everything is stopped when the Lease ends', () => {
  const tries = new Tries();
  const [one, other] = [tries.begin(), tries.begin()];
  other.end();
  tries.cutAll();
  assert.deepEqual([one.signal.aborted, other.signal.aborted], [true, false]);
});
