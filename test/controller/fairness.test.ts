import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Backoff } from '../../src/controller/backoff.ts';
import { WorkQueue } from '../../src/controller/queue.ts';
import type { Verdict, Work } from '../../src/controller/work.ts';

const finished: Verdict = { finished: true };
const failed: Verdict = { finished: false, failed: true, again: 0, stale: false };

/** What a run does to its handler; keys are `owner/name`. */
interface Conduct {
  readonly hosts?: readonly string[];
  /** Milliseconds that handling it takes; one that is cut ends 50 ms later. */
  readonly takes: number;
}

const concurrency = 16;
const hangs = 120_000;

/** A queue on a clock of its own, and what it did when: by key, the milliseconds from being added to being through. */
function world(context: TestContext) {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const [addedAt, waited] = [new Map<string, number>(), new Map<string, number>()];
  const conducts = new Map<string, Conduct>();
  const inHand = new Map<string, Conduct>();
  const most = { all: 0, owner: 0, host: 0 };
  const ownerOf = (key: string): string => key.split('/')[0] ?? '';
  const hostsOf = (key: string): readonly string[] => conducts.get(key)?.hosts ?? [];

  function look(): void {
    const keys = [...inHand.keys()];
    const largest = (names: readonly string[]): number =>
      Math.max(
        0,
        ...Map.groupBy(names, (name) => name)
          .values()
          .map(({ length }) => length),
      );
    most.all = Math.max(most.all, keys.length);
    most.owner = Math.max(most.owner, largest(keys.map(ownerOf)));
    most.host = Math.max(most.host, largest(keys.flatMap(hostsOf)));
  }

  async function handle({ key, signal }: Work<Conduct>): Promise<Verdict> {
    const conduct = conducts.get(key) ?? { takes: 0 };
    inHand.set(key, conduct);
    look();
    const verdict = await new Promise<Verdict>((resolve) => {
      const isHanging = conduct.takes >= hangs;
      const timer = setTimeout(() => resolve(isHanging ? failed : finished), conduct.takes);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        setTimeout(() => resolve(failed), 50);
      });
    });
    inHand.delete(key);
    if (verdict.finished) waited.set(key, Date.now() - (addedAt.get(key) ?? 0));
    return verdict;
  }

  const queue = new WorkQueue<Conduct>(handle, {
    concurrency,
    backoff: new Backoff(1_000, 300_000, () => 1),
    partiesOf: (key, value) => ({ owner: ownerOf(key), hosts: value?.hosts ?? [] }),
  });
  queue.start();
  return {
    ...{ queue, waited, most, inHand },
    add(key: string, conduct: Conduct, bytes = 1_000): void {
      addedAt.set(key, Date.now());
      conducts.set(key, conduct);
      queue.add(key, { value: conduct, bytes });
    },
    /** Lets time pass, in steps that are small beside all that takes time here. */
    async pass(milliseconds: number): Promise<void> {
      for (let passed = 0; passed < milliseconds; passed += 10) {
        context.mock.timers.tick(10);
        await turn();
      }
    },
  };
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('the workers', () => {
  it('are there for another namespace soon, though one has any number of runs that hang', async (context) => {
    const { add, pass, waited, most } = world(context);
    for (let index = 0; index < 200; index += 1) add(`hostile/${index}`, { takes: hangs });
    await pass(100);
    add('other/build', { takes: 20 });
    await pass(3_000);
    assert.ok((waited.get('other/build') ?? Infinity) <= 2_100, String(waited.get('other/build')));
    assert.equal(most.owner, concurrency);
  });

  it('are there for another registry soon, though one hangs for runs of many namespaces', async (context) => {
    const { add, pass, waited, most } = world(context);
    for (let index = 0; index < 200; index += 1)
      add(`tenant-${index}/build`, { takes: hangs, hosts: ['hostile.example'] });
    await pass(5_000);
    for (let index = 0; index < 100; index += 1)
      add(`tenant-${index}/another`, { takes: 20, hosts: ['good.example'] });
    await pass(1_000);
    assert.equal(waited.size, 100);
    assert.equal(most.host, concurrency);
  });

  it('are there for a namespace that has none, whatever others do (40 random worlds)', async (context) => {
    for (let seed = 1; seed <= 40; seed += 1) {
      await context.test(`seed ${seed}`, async (inner) => {
        const random = randomFrom(seed);
        const { add, pass, waited, most, inHand, queue } = world(inner);
        const owners = 1 + Math.floor(random() * 60);
        const hosts = 1 + Math.floor(random() * 80);
        const hostile = (index: number): void =>
          add(`hostile-${Math.floor(random() * owners)}/${index}`, {
            takes: random() < 0.95 ? hangs : 5_000 * random(),
            hosts: [`host-${Math.floor(random() * hosts)}.example`],
          });
        // Each turn of those who hold nothing either comes first, and ends within two seconds and a cut.
        const bound = 2_500 * Math.ceil(owners / concurrency) + 1_500;
        for (let step = 0; step < 30; step += 1) {
          for (let index = 0; index < 60 * random(); index += 1) hostile(1_000 * step + index);
          if (random() < 0.5) add(`victim-${step}/build`, { takes: 20 });
          await pass(300);
        }
        await pass(bound);
        assert.ok(most.all <= 4 * concurrency, `${most.all} tries at once`);
        assert.ok(most.owner <= concurrency && most.host <= concurrency, JSON.stringify(most));
        assert.ok([...inHand.keys()].every((key) => queue.has(key)));
        for (const [key, after] of waited)
          if (key.startsWith('victim')) assert.ok(after <= bound, `${key} waited ${after} of ${bound} ms`);
        const victims = Array.from({ length: 30 }, (_, step) => `victim-${step}/build`);
        assert.deepEqual(
          victims.filter((key) => queue.has(key)),
          [],
        );
        inner.mock.timers.reset();
      });
    }
  });

  it('are all for one namespace while no other has anything to do', async (context) => {
    const { add, pass, waited, most } = world(context);
    for (let index = 0; index < 160; index += 1) add(`one/${index}`, { takes: 100 });
    await pass(1_100);
    assert.equal(most.owner, concurrency);
    assert.equal(waited.size, 160);
  });

  it('are shared in equal parts by namespaces that have enough to do', async (context) => {
    const { add, pass, waited } = world(context);
    for (let index = 0; index < 400; index += 1) add(`large/${index}`, { takes: 100 });
    for (let index = 0; index < 40; index += 1) add(`small/${index}`, { takes: 100 });
    await pass(1_500);
    const small = [...waited.keys()].filter((key) => key.startsWith('small/'));
    assert.equal(small.length, 40);
  });

  it('are not cut for each other by namespaces that hold about the same', async (context) => {
    const { add, pass, inHand } = world(context);
    for (let owner = 0; owner < 8; owner += 1)
      for (let index = 0; index < 30; index += 1) add(`owner-${owner}/${index}`, { takes: hangs });
    await pass(20_000);
    const before = [...inHand.keys()];
    assert.equal(before.length, 4 * concurrency);
    await pass(20_000);
    assert.deepEqual([...inHand.keys()], before);
  });

  it('hold the fewer runs at once the larger those are', async (context) => {
    const { add, pass, most } = world(context);
    for (let owner = 0; owner < 8; owner += 1)
      for (let index = 0; index < 4; index += 1) add(`owner-${owner}/${index}`, { takes: hangs }, 1_500_000);
    await pass(20_000);
    assert.ok(most.all <= 4, `${most.all} of 1.5 MB each`);
    assert.ok(most.all > 1);
  });

  it('are there for the rest of a namespace when one of its runs hangs, however large that is', async (context) => {
    const { add, pass, waited } = world(context);
    add('one/large', { takes: hangs }, 1_500_000);
    await pass(100);
    for (let index = 0; index < 20; index += 1) add(`one/${index}`, { takes: 20 });
    await pass(2_500);
    assert.equal(waited.size, 20);
  });

  it('leave room for more to be listed when nothing that is ready may begin', async (context) => {
    const { add, pass, queue } = world(context);
    for (let index = 0; index < 2_000; index += 1) add(`hostile/${index}`, { takes: hangs });
    let hasRoom = false;
    void queue.room().then(() => {
      hasRoom = true;
    });
    await pass(1_000);
    assert.equal(hasRoom, false);
    await pass(1_500);
    assert.equal(hasRoom, true);
  });
});
