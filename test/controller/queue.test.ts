import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { Backoff } from '../../src/controller/backoff.ts';
import { type QueueOptions, WorkQueue } from '../../src/controller/queue.ts';
import type { Verdict, Work } from '../../src/controller/work.ts';

const finished: Verdict = { finished: true };
const failed: Verdict = { finished: false, failed: true, again: 0, stale: false };
const soon = new Backoff(5, 5, () => 1);
const never = new Backoff(3_600_000, 3_600_000, () => 1);

/** A queue, not started yet, whose handler does what the test says, and what it was given so far. */
function stillQueue(
  answers: readonly (Verdict | Promise<Verdict>)[],
  options: Partial<QueueOptions<string>> = {},
) {
  const seen: Work<string>[] = [];
  const queue = new WorkQueue<string>(
    async (work) => {
      seen.push(work);
      return answers[seen.length - 1] ?? finished;
    },
    { concurrency: 1, backoff: soon, ...options },
  );
  return { queue, seen, values: () => seen.map(({ value }) => value) };
}

/** The same, started. */
function queueOf(...parts: Parameters<typeof stillQueue>) {
  const made = stillQueue(...parts);
  made.queue.start();
  return made;
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition(); await turn()) assert.ok(Date.now() < end, 'in vain');
}

describe('the queue', () => {
  it('gives the handler the newest value only', async () => {
    const { queue, values } = stillQueue([]);
    queue.add('a', { value: 'old', bytes: 3 });
    queue.add('a', { value: 'new', bytes: 3 });
    queue.start();
    await until(() => queue.depth === 0);
    assert.deepEqual(values(), ['new']);
  });

  it('handles a key that comes while it is handled again, and never twice at once', async () => {
    const first = Promise.withResolvers<Verdict>();
    const { queue, values } = queueOf([first.promise], { concurrency: 4 });
    queue.add('a', { value: '1', bytes: 1 });
    queue.add('a', { value: '2', bytes: 1 });
    queue.add('a', { value: '3', bytes: 1 });
    await turn();
    assert.deepEqual(values(), ['1']);
    first.resolve(finished);
    await until(() => queue.depth === 0);
    assert.deepEqual(values(), ['1', '3']);
  });

  it('handles no more keys at once than it may', async () => {
    const gates = [Promise.withResolvers<Verdict>(), Promise.withResolvers<Verdict>()] as const;
    const { queue, seen } = queueOf(
      gates.map(({ promise }) => promise),
      { concurrency: 2 },
    );
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await turn();
    assert.equal(seen.length, 2);
    for (const { resolve } of gates) resolve(finished);
    await until(() => queue.depth === 0);
    assert.equal(seen.length, 3);
  });

  it('tries what failed again after its backoff, and counts the failures', async () => {
    const { queue, seen } = queueOf([failed, failed]);
    queue.add('a', { value: 'value', bytes: 5 });
    await until(() => queue.depth === 0);
    assert.deepEqual(
      seen.map(({ failures }) => failures),
      [0, 1, 2],
    );
    assert.ok(seen[2]?.failingSince === seen[1]?.failingSince && seen[2]?.failingSince !== undefined);
    assert.equal(seen[2]?.value, 'value');
  });

  it('forgets a value that its handler calls stale', async () => {
    const { queue, values } = queueOf([{ ...failed, stale: true }]);
    queue.add('a', { value: 'value', bytes: 5 });
    await until(() => queue.depth === 0);
    assert.deepEqual(values(), ['value', undefined]);
  });

  it('waits anew for a key that is not at rest, and no longer than it may', async () => {
    const { queue, seen, values } = queueOf([]);
    const added = { bytes: 1, after: 60, restWithin: 200 };
    const started = Date.now();
    queue.add('a', { ...added, value: '1' });
    for (let value = 2; seen.length === 0; value++) {
      await pause(20);
      if (seen.length === 0) queue.add('a', { ...added, value: `${value}` });
    }
    assert.ok(Date.now() - started >= 195, 'what is added every 20 ms keeps it from its rest');
    assert.ok(Number(values()[0]) > 2);
    queue.add('b', { ...added, value: 'unfinished' });
    queue.add('b', { value: 'finished', bytes: 1 });
    await turn();
    assert.equal(values().at(-1), 'finished', 'what need not wait does not');
  });

  it('waits for the rest of a key that was added while it was handled', async () => {
    const gate = Promise.withResolvers<Verdict>();
    const { queue, seen } = queueOf([gate.promise]);
    queue.add('a');
    await turn();
    queue.add('a', { after: 60 });
    const ended = Date.now();
    gate.resolve(finished);
    await until(() => seen.length === 2);
    assert.ok(Date.now() - ended >= 55);
  });

  it('lets nothing that is added end a backoff, but a new urgency once', async () => {
    const { queue, seen } = queueOf([failed, failed, failed], { backoff: never });
    queue.add('a', { value: '1', bytes: 1 });
    await until(() => seen.length === 1);
    await turn();
    queue.add('a', { value: '2', bytes: 1 });
    await turn();
    assert.equal(seen.length, 1);
    queue.add('a', { value: '3', bytes: 1, urgency: 'deleted' });
    await until(() => seen.length === 2);
    await turn();
    queue.add('a', { value: '4', bytes: 1, urgency: 'deleted' });
    await turn();
    assert.equal(seen.length, 2);
    await queue.stop();
  });

  it('ends every backoff when what made keys fail may be fixed', async () => {
    const { queue, seen } = queueOf([failed], { backoff: never });
    queue.add('a');
    await until(() => seen.length === 1);
    await turn();
    assert.equal(queue.waiting, 1);
    queue.hurryAll();
    await until(() => queue.depth === 0);
    assert.equal(seen.length, 2);
  });

  it('tries a key at once that failed while what makes it fail was fixed', async () => {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const { queue, seen } = queueOf([promise], { backoff: never });
    queue.add('a', { value: 'value', bytes: 5 });
    queue.hurryAll();
    resolve(failed);
    await until(() => queue.depth === 0);
    assert.deepEqual(
      seen.map(({ value, failures }) => [value, failures]),
      [
        ['value', 0],
        ['value', 1],
      ],
    );
  });

  it('waits no longer than its handler allows', async () => {
    const { queue, seen } = queueOf([{ ...failed, within: 5 }], { backoff: never });
    queue.add('a');
    await until(() => queue.depth === 0);
    assert.equal(seen.length, 2);
  });

  it('keeps a key without its value when the values would be too large together', async () => {
    const { queue, values } = stillQueue([], { budget: 10 });
    queue.add('a', { value: 'eight bytes', bytes: 8 });
    queue.add('b', { value: 'eight more', bytes: 8 });
    queue.start();
    await until(() => queue.depth === 0);
    assert.deepEqual(values(), ['eight bytes', undefined]);
  });

  it('carries one value that is larger than all that it may carry, rather than none', async () => {
    const { queue, values } = stillQueue([], { budget: 10 });
    queue.add('a', { value: 'a large value', bytes: 1_000 });
    queue.start();
    await until(() => queue.depth === 0);
    assert.deepEqual(values(), ['a large value']);
  });

  it('has no room for more while it carries over half of what it may', async () => {
    const { queue } = stillQueue([], { budget: 10 });
    queue.add('a', { value: 'value', bytes: 8 });
    let room = false;
    const waiting = queue.room().then(() => {
      room = true;
    });
    await turn();
    assert.equal(room, false);
    queue.start();
    await waiting;
    assert.equal(queue.depth, 0);
  });

  it('waits for room no longer than until aborted', async () => {
    const { queue } = stillQueue([], { budget: 10 });
    queue.add('a', { value: 'value', bytes: 8 });
    const stop = new AbortController();
    const waiting = queue.room(stop.signal);
    stop.abort();
    await waiting;
  });

  it('stops when what is being handled is through, and begins nothing more', async () => {
    const gate = Promise.withResolvers<Verdict>();
    const { queue, seen } = queueOf([gate.promise]);
    queue.add('a');
    queue.add('b');
    await turn();
    let stopped = false;
    const stopping = queue.stop().then(() => {
      stopped = true;
    });
    await turn();
    assert.equal(stopped, false);
    gate.resolve(finished);
    await stopping;
    assert.deepEqual(
      seen.map(({ key }) => key),
      ['a'],
    );
  });

  it('counts failures until a success, whatever happens in between that is none', async () => {
    const conflict: Verdict = { finished: false, failed: false, again: 1, stale: false };
    const { queue, seen } = queueOf([failed, conflict, failed]);
    queue.add('a', { value: 'value', bytes: 5 });
    await until(() => queue.depth === 0);
    assert.deepEqual(
      seen.map(({ failures }) => failures),
      [0, 1, 1, 2],
    );
    assert.ok(seen[1]?.failingSince !== undefined);
    assert.equal(seen[3]?.failingSince, seen[1].failingSince);
    queue.add('a', { value: 'value', bytes: 5 });
    await until(() => queue.depth === 0);
    assert.deepEqual([seen[4]?.failures, seen[4]?.failingSince], [0, undefined]);
  });

  it('looks at a key that waits for a moment when it is added, though it failed before', async () => {
    const moment: Verdict = { finished: false, failed: false, again: 3_600_000, stale: false };
    const { queue, seen } = queueOf([failed, moment]);
    queue.add('a');
    await until(() => seen.length === 2);
    await turn();
    queue.add('a');
    await until(() => queue.depth === 0);
    await queue.stop();
  });

  it('sets no timer once it is stopped, and is not started again', async (context) => {
    const gate = Promise.withResolvers<Verdict>();
    const { queue, seen } = queueOf([gate.promise], { backoff: never });
    queue.add('a');
    const stopping = queue.stop();
    const timers = context.mock.method(globalThis, 'setTimeout');
    gate.resolve(failed);
    await stopping;
    queue.start();
    queue.hurryAll();
    queue.add('b');
    await turn();
    assert.equal(timers.mock.callCount(), 0);
    assert.equal(seen.length, 1);
  });

  it('begins with others after a crash, and handles what crashed alone', async () => {
    const crashes = (key: string): number => (key.startsWith('crashed') ? 1 : 0);
    const inHand = new Set<string>();
    const together: string[][] = [];
    const queue = new WorkQueue<string>(
      async ({ key }) => {
        inHand.add(key);
        together.push([...inHand]);
        await turn();
        inHand.delete(key);
        return finished;
      },
      { concurrency: 4, backoff: soon, crashes },
    );
    for (const key of ['crashed 1', 'crashed 2', 'good 1', 'good 2', 'good 3']) queue.add(key);
    queue.start();
    await until(() => queue.depth === 0);
    assert.deepEqual(together, [
      ['good 1'],
      ['good 1', 'good 2'],
      ['good 1', 'good 2', 'good 3'],
      ['crashed 1'],
      ['crashed 2'],
    ]);
  });

  it('reports for how long it has not moved, while there is something to do', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const gate = Promise.withResolvers<Verdict>();
    const { queue } = queueOf([gate.promise]);
    context.mock.timers.tick(1_000);
    assert.equal(queue.idle, 0);
    queue.add('a');
    context.mock.timers.tick(1_000);
    assert.equal(queue.idle, 1_000);
    gate.resolve(finished);
    await turn();
    assert.equal(queue.idle, 0);
  });
});
