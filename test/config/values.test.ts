import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration } from '../../src/config/values.ts';

test('durations are read as Go reads them', () => {
  const cases = {
    '90s': 90_000,
    '1h30m': 5_400_000,
    '1.5h': 5_400_000,
    '.5s': 500,
    '+2m': 120_000,
    '1ns': 1,
    '1µs': 1,
  };
  for (const [text, value] of Object.entries(cases))
    assert.deepEqual(duration.parse(text), { ok: true, value });
});

test('what is not a positive duration is refused', () => {
  for (const text of ['', '5', '5 minutes', '1d', 'h', '.s', '0', '0s', '-1s', '1h-1m', '9999999h', '1e3s']) {
    assert.equal(duration.parse(text).ok, false, text);
  }
  assert.deepEqual(duration.parse('-1s'), { ok: false, wrong: 'which is not positive' });
});
