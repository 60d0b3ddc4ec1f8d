import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Backoff } from '../../src/controller/backoff.ts';
import { Outages } from '../../src/controller/outages.ts';

const away = { unavailable: ['store gcs'], answered: [] };
const answered = { unavailable: [], answered: ['store gcs'] };
const otherwise = { unavailable: [], answered: [] };

function openOutages(context: TestContext) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  context.mock.method(performance, 'now', () => now);
  const woken: string[] = [];
  const outages = new Outages((key) => woken.push(key), new Backoff(500, 4_000, () => 1));
  const pass = (milliseconds: number): void => {
    now += milliseconds;
    context.mock.timers.tick(milliseconds);
  };
  const tryOf = (key: string, backends: typeof away | typeof answered): number | undefined => {
    const end = outages.begin(key);
    pass(10);
    return end(backends);
  };
  return { outages, woken, pass, tryOf };
}

test('the first key that finds a back end away asks again soon, and the others wait for it', (context) => {
  const { tryOf } = openOutages(context);
  assert.deepEqual([tryOf('a', away), tryOf('b', away), tryOf('c', away)], [500, 300_000, 300_000]);
});

test('it asks more and more seldom, and still every few seconds in a long outage', (context) => {
  const { tryOf } = openOutages(context);
  const waits = Array.from({ length: 7 }, () => tryOf('a', away));
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000]);
});

test('when it gets an answer, all go', (context) => {
  const { tryOf, woken } = openOutages(context);
  for (const key of ['a', 'b', 'c']) tryOf(key, away);
  tryOf('a', answered);
  assert.deepEqual(woken, ['b', 'c']);
});

test('whoever gets an answer, all go', (context) => {
  const { tryOf, woken } = openOutages(context);
  for (const key of ['a', 'b']) tryOf(key, away);
  tryOf('new', answered);
  assert.deepEqual(woken, ['a', 'b']);
});

test('a key that fails while others get answers has a trouble of its own, and its own backoff', (context) => {
  const { outages, pass, tryOf } = openOutages(context);
  const end = outages.begin('poison');
  pass(10);
  tryOf('other', answered);
  assert.equal(end(away), undefined);
});

test('each back end has its own outage', (context) => {
  const { outages, tryOf, woken } = openOutages(context);
  tryOf('a', away);
  assert.equal(outages.begin('b')({ unavailable: ['signer kms'], answered: [] }), 500);
  tryOf('c', answered);
  assert.deepEqual(woken, ['a']);
});

test('another key asks when the one that did is gone, or fails otherwise', (context) => {
  const { tryOf, woken } = openOutages(context);
  for (const key of ['a', 'b', 'c']) tryOf(key, away);
  assert.equal(tryOf('a', otherwise), undefined);
  assert.deepEqual(woken, ['b']);
  assert.equal(tryOf('b', away), 1_000);
});

test('another key asks when the one that does gets no answer at all', (context) => {
  const { outages, pass, tryOf, woken } = openOutages(context);
  for (const key of ['a', 'b']) tryOf(key, away);
  outages.begin('a');
  pass(5_000);
  assert.deepEqual(woken, ['b']);
});

test('an outage ends with the last key that waited', (context) => {
  const { tryOf } = openOutages(context);
  for (let index = 0; index < 5; index += 1) tryOf('a', away);
  tryOf('a', otherwise);
  assert.equal(tryOf('b', away), 500);
});

const awayAt = (host: number) => ({ unavailable: [`store oci at ${host}`], answered: [] });

test('only so many outages are probed: runs that each name another dead registry keep their own backoff', (context) => {
  const { tryOf } = openOutages(context);
  const waits = Array.from({ length: 66 }, (_, host) => tryOf(`run ${host}`, awayAt(host)));
  assert.deepEqual(waits.slice(62), [500, 500, undefined, undefined]);
  assert.equal(tryOf('run 0', { unavailable: [], answered: ['store oci at 0'] }), undefined);
  assert.equal(tryOf('run 65', awayAt(65)), 500, 'one has ended');
});

test('of the back ends that have answered only the latest thousand are remembered', (context) => {
  const { outages, tryOf } = openOutages(context);
  const [forgotten, remembered] = [outages.begin('a'), outages.begin('b')];
  for (let host = 0; host < 1_001; host += 1)
    tryOf('c', { unavailable: [], answered: [`store oci at ${host}`] });
  assert.equal(forgotten(awayAt(0)), 500);
  assert.equal(remembered(awayAt(1)), undefined);
});
