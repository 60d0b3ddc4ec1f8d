import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '../../src/json.ts';
import { createDispatchers } from '../../src/kubernetes/dispatcher.ts';
import { type ListPage, Rest, type WatchEvent } from '../../src/kubernetes/rest.ts';
import { Membership } from '../../src/members/membership.ts';
import { openLog } from '../../src/telemetry/logs.ts';

/** An API server that has the Lease of one member, and takes as long to renew it as a test says. */
class OneLease extends Rest {
  renewals = 0;
  renewing: () => Promise<void> = async () => {};
  #lease: JsonObject | undefined;

  constructor() {
    const tls = { ca: undefined, cert: undefined, key: undefined, servername: undefined };
    super({
      ...{ server: 'http://127.0.0.1:1', namespace: 'ci', authorization: async () => undefined },
      ...{ renew: async () => false, close: async () => {} },
      dispatchers: createDispatchers({ ...tls, rejectUnauthorized: true }, undefined),
    });
  }

  override async get(): Promise<JsonObject> {
    return { data: { 'lease-duration': '6s', 'renew-deadline': '5s', 'retry-period': '100ms' } };
  }

  override async page(): Promise<ListPage> {
    const items = this.#lease === undefined ? [] : [this.#lease];
    return { items, resourceVersion: '1', bytes: 2, next: undefined };
  }

  override async create(...[, , lease]: Parameters<Rest['create']>): Promise<JsonObject> {
    this.#lease = { ...lease, metadata: { name: 'a', uid: '1', resourceVersion: '1' } };
    return this.#lease;
  }

  override async mergePatch(): Promise<JsonObject> {
    await this.renewing();
    this.renewals += 1;
    return {};
  }

  override async delete(): Promise<void> {}

  override async *watch(...[, , signal]: Parameters<Rest['watch']>): AsyncGenerator<WatchEvent, void> {
    yield* await new Promise<WatchEvent[]>((resolve) => signal?.addEventListener('abort', () => resolve([])));
  }
}

test('after a renewal that came too late all runs are looked at again: some may have been left out', async (context) => {
  let now = 0;
  context.mock.method(performance, 'now', () => now);
  const rest = new OneLease();
  let changes = 0;
  const changed = (): void => {
    changes += 1;
  };
  const log = await openLog({ write: () => {} });
  const membership = new Membership({ rest, log, namespace: 'tekton-chains', name: 'a', changed });
  const leaving = new AbortController();
  const following = membership.follow(leaving.signal);
  context.after(async () => {
    leaving.abort();
    await following;
  });
  await membership.joined;
  assert.equal(changes, 1);

  // The renewal is sent in time, and answered when that is over, before the timer that says so.
  now = 4_900;
  rest.renewing = async () => {
    now += 200;
    assert.equal(membership.owns('uid'), false);
    rest.renewing = async () => {};
  };
  for (let waits = 0; waits < 100 && rest.renewals < 3; waits += 1) await pause(20);
  assert.equal(rest.renewals, 3);
  assert.equal(membership.owns('uid'), true);
  assert.equal(changes, 2);
});
