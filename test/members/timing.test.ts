import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newLease, readLease } from '../../src/members/lease.ts';
import { defaultTiming, parseTiming } from '../../src/members/timing.ts';

const parsed = (data: Readonly<Record<string, string>>) => parseTiming({ data });

test('without values the defaults are in force: a crash is noticed within 15 seconds', () => {
  assert.deepEqual(parsed({ _example: 'lease-duration: 60s' }), defaultTiming);
  assert.deepEqual(parseTiming({}), defaultTiming);
  assert.ok(defaultTiming.leaseDuration <= 15_000);
});

test("the values of Knative's controllers are taken", () => {
  const data = { 'lease-duration': '60s', 'renew-deadline': '40s', 'retry-period': '10s', buckets: '1' };
  const timing = { leaseDuration: 60_000, renewDeadline: 40_000, retryPeriod: 10_000, buckets: 1 };
  assert.deepEqual(parsed(data), timing);
});

test('no more members may work than a view can name: one that was cut would claim the runs of others', () => {
  const members = Array.from({ length: defaultTiming.buckets }, (_, index) => `replica-${index}`);
  assert.deepEqual(readLease(newLease('replica-0', { members, duration: 1 })).members, members);
});

for (const [data, message] of [
  [{ 'lease-duration': 'long' }, /lease-duration is "long", which is not a duration/],
  [{ 'lease-duration': '5s' }, /lease-duration must be longer than renew-deadline/],
  [{ 'retry-period': '9s' }, /longer than retry-period/],
  [{ 'retry-period': '1ms' }, /at least 100ms/],
  [{ buckets: '11' }, /buckets is "11", which is not one; use a whole number from 1 to 10/],
] as const) {
  test(`${JSON.stringify(data)} is refused, with what is wrong`, () => {
    assert.throws(() => parsed(data), { code: 'CONFIG_INVALID', message });
  });
}
