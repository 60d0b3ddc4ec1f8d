import assert from 'node:assert/strict';
import { test } from 'node:test';
import { once } from '../src/concurrency.ts';

test('concurrent callers share one opening', async () => {
  let openings = 0;
  const open = once(async (name: string) => `${name} ${++openings}`);
  assert.deepEqual(await Promise.all([open('x509'), open('x509'), open('cosign')]), [
    'x509 1',
    'x509 1',
    'cosign 2',
  ]);
  assert.equal(open.opened().length, 2);
});

test('an opening that failed is tried again by the next caller', async () => {
  let openings = 0;
  const open = once(async (name: string) => {
    openings += 1;
    if (openings === 1) throw new Error('not yet');
    return name;
  });
  await assert.rejects(open('kms'), /not yet/);
  assert.equal(open.opened().length, 0);
  assert.equal(await open('kms'), 'kms');
});
