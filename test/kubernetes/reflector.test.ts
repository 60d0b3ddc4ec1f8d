import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type Observer, type Reflected, reflect } from '../../src/kubernetes/reflector.ts';
import type { ApiCall } from '../../src/kubernetes/rest.ts';
import { ChainsError } from '../../src/errors.ts';
import { at, type JsonObject } from '../../src/json.ts';
import { answer, refuse, restOf, serve, until } from './servers.ts';

const taskRuns = { group: 'tekton.dev', version: 'v1', plural: 'taskruns' };

function run(name: string, resourceVersion: string): JsonObject {
  return { metadata: { namespace: 'team', name, resourceVersion } };
}

/** What a test's server does with a list or watch; the number counts calls of that kind, from 0. */
interface Behaviour {
  list?(response: ServerResponse, query: URLSearchParams, call: number): void;
  watch?(response: ServerResponse, query: URLSearchParams, call: number): void;
}

function page(response: ServerResponse, items: readonly JsonObject[], next = '', resourceVersion = '10') {
  answer(response, { metadata: { resourceVersion, continue: next }, items });
}

function send(response: ServerResponse, type: string, object: JsonObject): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

/** Reflects a server that behaves so; everything that happens is noted in order. */
async function reflection(
  test: TestContext,
  { list = (response) => page(response, []), watch = (response) => response.flushHeaders() }: Behaviour,
  what: Partial<Reflected> = {},
  more: Partial<Observer> = {},
) {
  const queries = { list: [] as URLSearchParams[], watch: [] as URLSearchParams[] };
  const server = await serve(test, ({ url = '' }, response) => {
    const query = new URL(url, 'http://x').searchParams;
    const kind = query.has('watch') ? 'watch' : 'list';
    queries[kind].push(query);
    ({ list, watch })[kind](response, query, queries[kind].length - 1);
  });
  const notes: string[] = [];
  const calls: ApiCall[] = [];
  const name = (object: JsonObject) =>
    `${String(at(object, 'metadata', 'name'))}@${String(at(object, 'metadata', 'resourceVersion'))}`;
  const observer: Observer = {
    seen: (object) => notes.push(`seen ${name(object)}`),
    gone: (object) => notes.push(`gone ${name(object)}`),
    synced: () => notes.push('synced'),
    trouble: (error) => notes.push(`trouble ${error.status ?? error.code}`),
    well: () => notes.push('well'),
    ...more,
  };
  const rest = await restOf(test, server, { onCall: (call) => calls.push(call), timeout: 5_000 });
  const stop = new AbortController();
  const done = reflect(rest, { resource: taskRuns, ...what }, observer, stop.signal);
  test.after(async () => {
    stop.abort();
    await done.catch(() => undefined);
  });
  return { notes, queries, stop, done, calls };
}

test("objects are listed, then followed from the list's resourceVersion", async (t) => {
  const { notes, queries } = await reflection(
    t,
    {
      list: (response) => page(response, [run('a', '3')]),
      watch: (response) => {
        send(response, 'MODIFIED', run('a', '11'));
        send(response, 'BOOKMARK', { metadata: { resourceVersion: '12' } });
        send(response, 'DELETED', run('a', '13'));
      },
    },
    { namespace: 'team', listSelector: 'signed!=true', fieldSelector: 'metadata.name=a', pageSize: 7 },
  );
  await until('the deletion is told', () => notes.includes('gone a@13'));
  assert.deepEqual(notes.toSorted(), ['gone a@13', 'seen a@11', 'seen a@3', 'synced']);
  const list = { fieldSelector: 'metadata.name=a', labelSelector: 'signed!=true', limit: '7' };
  assert.deepEqual(Object.fromEntries(queries.list[0] ?? []), list);
  assert.partialDeepStrictEqual(Object.fromEntries(queries.watch[0] ?? []), {
    resourceVersion: '10',
    fieldSelector: 'metadata.name=a',
  });
  assert.equal(queries.watch[0]?.has('labelSelector'), false);
});

test('a page is as long as fits half a MiB: few large objects, many small ones', async (t) => {
  const large = { ...run('large', '1'), status: 'x'.repeat(50_000) };
  const { queries } = await reflection(t, {
    list: (response, query) => {
      const after = query.get('continue');
      if (after === null) page(response, [large, large], 'small');
      else if (after === 'small') page(response, [run('a', '2'), run('b', '2')], 'last');
      else page(response, []);
    },
    watch: () => {},
  });
  await until('all pages are read', () => queries.list.length === 3);
  assert.deepEqual(
    queries.list.map((query) => query.get('limit')),
    ['50', '10', '500'],
  );
});

test('the watch runs while later pages wait for room, and what it reported is left out of them', async (t) => {
  const room = Promise.withResolvers<void>();
  const { notes, queries } = await reflection(
    t,
    {
      list: (response, query) =>
        query.has('continue')
          ? page(response, [run('b', '2'), run('c', '4'), run('d', '5')])
          : page(response, [run('a', '1')], 'more'),
      watch: (response) => {
        send(response, 'MODIFIED', run('b', '11'));
        send(response, 'DELETED', run('c', '12'));
      },
    },
    {},
    { room: () => room.promise },
  );
  await until('the watch has told', () => notes.includes('gone c@12'));
  assert.deepEqual(notes, ['seen a@1', 'seen b@11', 'gone c@12']);
  assert.equal(queries.list.length, 1);
  room.resolve();
  await until('the list is through', () => notes.includes('synced'));
  assert.deepEqual(notes, ['seen a@1', 'seen b@11', 'gone c@12', 'seen d@5', 'synced']);
});

test('a page that fails is asked for again, and the list continues from there', async (t) => {
  const { notes, queries } = await reflection(t, {
    list: (response, query, call) => {
      if (call === 1) refuse(response, 500, 'etcd is slow');
      else if (query.has('continue')) page(response, [run('b', '2')]);
      else page(response, [run('a', '1')], 'more');
    },
  });
  await until('the list is through', () => notes.includes('synced'));
  assert.deepEqual(notes.filter((note) => note !== 'well').toSorted(), [
    'seen a@1',
    'seen b@2',
    'synced',
    'trouble 500',
  ]);
  assert.deepEqual(
    queries.list.map((query) => query.get('continue')),
    [null, 'more', 'more'],
  );
});

test('a list whose continue token is too old begins again, without trouble', async (t) => {
  const { notes, queries } = await reflection(t, {
    list: (response, query, call) => {
      if (call === 1) refuse(response, 410, 'The provided continue parameter is too old');
      else if (query.has('continue')) page(response, [run('b', '2')]);
      else page(response, [run('a', '1')], `more${call}`);
    },
  });
  await until('the list is through', () => notes.includes('synced'));
  assert.deepEqual(
    queries.list.map((query) => query.get('continue')),
    [null, 'more0', null, 'more2'],
  );
  assert.deepEqual(notes, ['seen a@1', 'seen a@1', 'seen b@2', 'synced']);
  assert.equal(queries.watch.length, 1);
});

for (const [name, expire] of Object.entries({
  'an ERROR event': (response: ServerResponse) => {
    response.end('{"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}}\n');
  },
  'status 410': (response: ServerResponse) => refuse(response, 410, 'too old'),
  'a resourceVersion from the future': (response: ServerResponse) =>
    refuse(response, 504, 'Timeout: Too large resource version: 10, current: 3'),
})) {
  test(`a watch that ends with ${name} is followed by a new list, and synced is reported once`, async (t) => {
    let relisted = 0;
    const { notes, queries } = await reflection(
      t,
      {
        list: (response, _, call) => page(response, [run('a', String(call))], '', String(10 + call)),
        watch: (response, _, call) =>
          call === 0 ? expire(response) : send(response, 'ADDED', run('b', '20')),
      },
      {},
      { relisted: () => (relisted += 1) },
    );
    await until('the second watch has told', () => notes.includes('seen b@20'));
    assert.deepEqual(notes, ['seen a@0', 'synced', 'seen a@1', 'seen b@20']);
    assert.deepEqual(
      queries.watch.map((query) => query.get('resourceVersion')),
      ['10', '11'],
    );
    assert.equal(relisted, 1);
  });
}

test("a watch that breaks continues from the last resourceVersion, a bookmark's too", async (t) => {
  const { notes, queries } = await reflection(t, {
    watch: (response, _, call) => {
      if (call === 0) {
        send(response, 'ADDED', run('a', '11'));
        setImmediate(() => response.destroy());
      } else if (call === 1) {
        send(response, 'BOOKMARK', { metadata: { resourceVersion: '15' } });
        setImmediate(() => response.socket?.resetAndDestroy());
      } else send(response, 'ADDED', run('b', '16'));
    },
  });
  await until('the third watch has told', () => notes.includes('seen b@16'));
  assert.deepEqual(
    queries.watch.map((query) => query.get('resourceVersion')),
    ['10', '11', '15'],
  );
  assert.equal(queries.list.length, 1);
  await until('it is well', () => notes.at(-1) === 'well' || notes.at(-2) === 'well');
  assert.ok(notes.includes('trouble CLUSTER_UNAVAILABLE'));
});

test('a silent watch is given up and resumed', async (t) => {
  const { notes, queries } = await reflection(
    t,
    {
      watch: (response, _, call) => {
        if (call === 0) send(response, 'ADDED', run('a', '11'));
        else if (call === 1) response.flushHeaders();
        else send(response, 'ADDED', run('b', '12'));
      },
    },
    { silence: 50 },
  );
  await until('the third watch has told', () => notes.includes('seen b@12'));
  assert.deepEqual(
    queries.watch.slice(0, 3).map((query) => query.get('resourceVersion')),
    ['10', '11', '11'],
  );
  assert.equal(queries.list.length, 1);
});

test('a connection that swallows everything is given up too', async (t) => {
  const { notes } = await reflection(
    t,
    { watch: (response, _, call) => (call === 0 ? undefined : send(response, 'ADDED', run('b', '12'))) },
    { silence: 50 },
  );
  await until('the second watch has told', () => notes.includes('seen b@12'));
});

test('a watch that fails in the same way again and again makes no busy loop', async (t) => {
  const behaviours: Record<string, (response: ServerResponse) => unknown> = {
    'ends at once': (response) => response.end(),
    'ends after one event': (response) => {
      send(response, 'ADDED', run('a', '11'));
      response.end();
    },
    'is reset': (response) => response.socket?.resetAndDestroy(),
    'is refused': (response) => refuse(response, 403, 'no'),
    'is too old at once': (response) => refuse(response, 410, 'too old'),
    'speaks no JSON': (response) => response.end('<html>\n'),
  };
  const counts = Object.entries(behaviours).map(async ([name, watch]) => {
    const { calls } = await reflection(t, { watch });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const made = calls.length;
    assert.ok(made <= 80, `a watch that ${name}: ${made} calls in 2 s`);
    await until('it is tried again', () => calls.filter(({ verb }) => verb === 'watch').length > 1);
  });
  await Promise.all(counts);
});

test('a watch that ends at once, again and again, is trouble', async (t) => {
  const { notes } = await reflection(t, { watch: (response) => response.end() });
  await until('trouble is told', () => notes.includes('trouble CLUSTER_UNAVAILABLE'));
});

test('a resource that is not served yet is trouble until it is', async (t) => {
  const { notes } = await reflection(t, {
    list: (response, _, call) =>
      call < 2
        ? refuse(response, 404, 'the server could not find the requested resource')
        : page(response, [run('a', '1')]),
  });
  await until('the list is through', () => notes.includes('synced'));
  assert.deepEqual(notes, ['trouble 404', 'trouble 404', 'well', 'seen a@1', 'synced']);
});

test('Retry-After is waited for', async (t) => {
  let refusedAt = 0;
  let listedAt = 0;
  const { notes } = await reflection(t, {
    list: (response, _, call) => {
      if (call === 0) {
        refusedAt = performance.now();
        refuse(response, 429, 'too many requests', { 'retry-after': '1' });
      } else {
        listedAt = performance.now();
        page(response, []);
      }
    },
  });
  await until('the list is through', () => notes.includes('synced'));
  assert.ok(listedAt - refusedAt >= 990);
});

test('it ends when it is aborted, also while it waits for room', async (t) => {
  const { done, stop, notes } = await reflection(
    t,
    { list: (response) => page(response, [run('a', '1')], 'more') },
    {},
    { room: () => new Promise(() => undefined) },
  );
  await until('the first page is told', () => notes.length > 0);
  stop.abort();
  await done;
  assert.equal(notes.includes('synced'), false);
});

for (const [name, more] of Object.entries<Partial<Observer>>({
  seen: { seen: () => fail() },
  gone: { gone: () => fail() },
  synced: { synced: () => fail() },
  room: { room: async () => fail() },
})) {
  test(`what the observer throws in ${name} comes out`, async (t) => {
    const { done } = await reflection(
      t,
      {
        list: (response, query) => page(response, [run('a', '1')], query.has('continue') ? '' : 'more'),
        watch: (response) => send(response, 'DELETED', run('b', '11')),
      },
      {},
      more,
    );
    await assert.rejects(done, /a mistake in the observer/);
  });
}

function fail(): never {
  throw new ChainsError('RUN_UNREADABLE', 'a mistake in the observer');
}
