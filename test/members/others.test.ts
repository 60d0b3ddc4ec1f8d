import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { MemberLease } from '../../src/members/lease.ts';
import { Others } from '../../src/members/others.ts';
import { processIdentity } from '../../src/members/process-identity.ts';

const lease: MemberLease = {
  ...{ name: 'b', uid: '1', resourceVersion: '1', createdAt: '', process: '' },
  ...{ renewTime: '2020-01-01T00:00:00.000000Z', duration: 12_000, members: ['a', 'b'] },
};

function clock(context: TestContext) {
  let now = 0;
  context.mock.method(performance, 'now', () => now);
  return (milliseconds: number): void => {
    now += milliseconds;
  };
}

test('a member is dead when its Lease did not change for its whole duration, whatever time stands in it', (context) => {
  const pass = clock(context);
  const others = new Others();
  others.saw(lease);
  pass(11_999);
  assert.deepEqual(others.dead, []);
  assert.equal(others.untilExpiry, 1);
  pass(1);
  assert.deepEqual(others.dead, [lease]);
});

test('a renewal gives it its whole time again, even one with an older time in it', (context) => {
  const pass = clock(context);
  const others = new Others();
  others.saw(lease);
  pass(10_000);
  others.saw({ ...lease, renewTime: '2019-01-01T00:00:00.000000Z' });
  pass(11_999);
  assert.deepEqual(others.dead, []);
});

test('seeing the same state again gives it no more time', (context) => {
  const pass = clock(context);
  const others = new Others();
  others.saw(lease);
  pass(10_000);
  others.are([{ ...lease, resourceVersion: '2' }]);
  pass(2_000);
  assert.equal(others.dead.length, 1);
});

test('time in which this member could not renew either is ignored', (context) => {
  const pass = clock(context);
  const others = new Others();
  others.saw(lease);
  pass(60_000);
  others.steady();
  assert.deepEqual(others.dead, []);
});

test('one whose process has ended on this machine is dead at once', () => {
  const others = new Others();
  others.saw({ ...lease, process: String(processIdentity()) });
  assert.deepEqual(others.dead, []);
  const ended = String(processIdentity()).replace(/\/\d+\/\d+$/, `/${2 ** 22 + 1}/1`);
  others.saw({ ...lease, process: ended });
  assert.equal(others.dead.length, 1);
});

test('one of another machine, or that says nothing of its process, is given its time', () => {
  const others = new Others();
  for (const process of ['', 'other-boot/pid:[1]/4194305/1', '///', 'x'])
    others.saw({ ...lease, name: process, process });
  assert.deepEqual(others.dead, []);
});

test('only a new view is news', () => {
  const others = new Others();
  assert.equal(others.saw(lease), true);
  assert.equal(others.saw({ ...lease, renewTime: 'later' }), false);
  assert.equal(others.saw({ ...lease, members: ['b'] }), true);
});

test('an event that comes late takes back nothing of what a later list has shown', () => {
  const others = new Others();
  others.are([{ ...lease, resourceVersion: '10', members: ['a', 'b'] }]);
  assert.equal(others.saw({ ...lease, resourceVersion: '9', members: ['a'] }), false);
  assert.equal(others.gone({ ...lease, uid: 'an earlier one', resourceVersion: '8' }), false);
  assert.deepEqual(others.views, [{ member: 'b', members: ['a', 'b'] }]);
  assert.equal(others.gone({ ...lease, resourceVersion: '11' }), true);
  assert.deepEqual(others.views, []);
});
