import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../src/controller/backoff.ts';

test('failures in a row wait twice as long each, up to the longest', () => {
  const backoff = new Backoff(1_000, 300_000, () => 1);
  assert.deepEqual(
    [1, 2, 3, 9, 10, 5_000].map((failures) => backoff.after(failures)),
    [1_000, 2_000, 4_000, 256_000, 300_000, 300_000],
  );
});

test('half of the wait is left to chance, so that not everyone comes back at once', () => {
  assert.equal(new Backoff(1_000, 300_000, () => 0).after(1), 500);
  assert.equal(new Backoff(1_000, 300_000, () => 0.5).after(1), 750);
});
