import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { at, type JsonObject } from '../../src/json.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/index.ts';
import { ApiClient } from '../integration/api.client.ts';

const path = '/apis/tekton.dev/v1/namespaces/default/taskruns';
const beta = '/apis/tekton.dev/v1beta1/namespaces/default/taskruns';

async function open(t: TestContext, options?: SandboxOptions): Promise<{ sandbox: Sandbox; api: ApiClient }> {
  const sandbox = await startSandbox({ life: false, ...options });
  const api = new ApiClient(sandbox);
  t.after(async () => {
    await api.close();
    await sandbox.close();
  });
  return { sandbox, api };
}

function run(name: string, more: JsonObject = {}): JsonObject {
  return { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata: { name, namespace: 'default' }, ...more };
}

async function example(name: string): Promise<JsonObject> {
  return parse(await readFile(new URL(`../../examples/${name}.yaml`, import.meta.url), 'utf8'));
}

async function finished(api: ApiClient, path: string): Promise<JsonObject> {
  const watch = await api.watch(`${path}?watch=true`);
  for (;;) {
    const event = await watch.next();
    assert.ok(event);
    if (at(event, 'object', 'status', 'completionTime') !== undefined) {
      watch.close();
      const object = at(event, 'object');
      return { object };
    }
  }
}

test('the example run starts, and finishes with the results that it declares', async (t) => {
  const { api } = await open(t, { life: {} });
  await api.expect(201, 'POST', path, { body: await example('task-output-image') });
  const { object } = await finished(api, path);
  const digest = 'sha256:05f95b26ed10668b7183c1e2da98610e91372fa9f510046d4ce5812addad86b5';
  assert.deepEqual(at(object, 'status', 'results'), [
    { name: 'IMAGE_URL', type: 'string', value: 'registry.example.com/demo/hello' },
    { name: 'IMAGE_DIGEST', type: 'string', value: digest },
  ]);
  const steps = at(object, 'status', 'steps');
  assert.match(
    String(at(Array.isArray(steps) ? steps[0] : null, 'imageID')),
    /^busybox@sha256:[0-9a-f]{64}$/,
  );
});

test('a v1beta1 run reports its image resource, and its results by their old name', async (t) => {
  const { api } = await open(t, { life: { startAfter: 1, finishAfter: 1 } });
  const body = await example('task-output-image-v1beta1');
  await api.expect(201, 'POST', beta, { body });
  const { object } = await finished(api, beta);
  const results = at(object, 'status', 'resourcesResult');
  const found = Object.fromEntries(
    (Array.isArray(results) ? results : []).map((entry) => [String(at(entry, 'key')), at(entry, 'value')]),
  );
  assert.equal(found['url'], 'registry.example.com/demo/hello');
  assert.match(String(found['digest']), /^sha256:[0-9a-f]{64}$/);
  assert.equal(at(object, 'status', 'results'), undefined);
});

test('a run that has a status, or is gone before it starts, is left alone', async (t) => {
  const { sandbox, api } = await open(t, { life: { startAfter: 1, finishAfter: 1 } });
  sandbox.objects.put(run('has-one', { status: { mine: true } }));
  sandbox.objects.put(run('gone'));
  sandbox.objects.delete('TaskRun', 'default', 'gone');
  sandbox.objects.put(run('last'));
  await finished(api, path);
  assert.deepEqual(at(sandbox.objects.get('TaskRun', 'default', 'has-one'), 'status'), { mine: true });
  assert.equal(sandbox.objects.get('TaskRun', 'default', 'gone'), undefined);
});

test('a run whose status would not fit stays as it is', async (t) => {
  const { sandbox, api } = await open(t, { life: { startAfter: 1, finishAfter: 1 } });
  const steps = [{ image: 'a', script: 'x'.repeat(1_000_000) }];
  await api.expect(201, 'POST', path, { body: run('large', { spec: { taskSpec: { steps } } }) });
  sandbox.objects.put(run('small'));
  await finished(api, path);
  assert.equal(at(sandbox.objects.get('TaskRun', 'default', 'large'), 'status'), undefined);
});

test('seeded objects keep their status and uid, and watchers see them', async (t) => {
  const { sandbox, api } = await open(t);
  const watch = await api.watch(`${path}?watch=true`);
  const metadata = { name: 'a', namespace: 'default', uid: 'my-uid' };
  sandbox.objects.put(run('a', { metadata, status: { done: true } }));
  assert.deepEqual(await watch.names(1), ['ADDED a']);
  watch.close();
  const read = await api.expect(200, 'GET', `${path}/a`);
  assert.deepEqual([at(read, 'metadata', 'uid'), read['status']], ['my-uid', { done: true }]);
  assert.equal(sandbox.objects.count('TaskRun'), 1);
  assert.deepEqual(sandbox.objects.list('TaskRun'), [read]);
});

test('the request log shows what was asked, and can be counted and emptied', async (t) => {
  const { sandbox, api } = await open(t);
  sandbox.objects.put(run('a'));
  const body = '{"metadata":{"labels":{"a":"b"}}}';
  await api.expect(200, 'PATCH', `${path}/a`, { body, type: 'application/merge-patch+json' });
  await api.expect(404, 'GET', `${path}/b`);
  await api.expect(404, 'PATCH', `${path}/c/status`, { body, type: 'application/merge-patch+json' });
  const [patched] = sandbox.requests.matching({ verb: 'patch', resource: 'taskruns' });
  assert.deepEqual(
    [patched?.name, patched?.namespace, patched?.status, patched?.bytes],
    ['a', 'default', 200, body.length],
  );
  assert.equal(sandbox.requests.count({ status: 404 }), 2);
  assert.equal(sandbox.requests.count({ resource: 'taskruns/status' }), 1);
  sandbox.requests.reset();
  assert.equal(sandbox.requests.count(), 0);
});

test('a refusal on demand has its status and Retry-After, and no effect, as often as asked', async (t) => {
  const { sandbox, api } = await open(t);
  sandbox.faults.add(
    { kind: 'status', code: 429, retryAfter: 3 },
    { count: 2, when: ({ verb }) => verb === 'create' },
  );
  await api.expect(200, 'GET', path);
  for (const status of [429, 429, 201]) await api.expect(status, 'POST', path, { body: run('a') });
  assert.deepEqual([sandbox.faults.struck.status, sandbox.objects.count('TaskRun')], [2, 1]);
});

test('a reset before a write undoes it; one after it does not', async (t) => {
  const { sandbox, api } = await open(t);
  sandbox.faults.add({ kind: 'reset', when: 'before' }, { count: 1 });
  await assert.rejects(api.call('POST', path, { body: run('a') }));
  assert.equal(sandbox.objects.count('TaskRun'), 0);
  sandbox.faults.add({ kind: 'reset', when: 'after' }, { count: 1 });
  await assert.rejects(api.call('POST', path, { body: run('a') }));
  assert.equal(sandbox.objects.count('TaskRun'), 1);
  assert.equal(sandbox.requests.count({ status: 0 }), 2);
});

test('latency delays, and a fault that is removed is gone', async (t) => {
  const { sandbox, api } = await open(t);
  const remove = sandbox.faults.add({ kind: 'latency', milliseconds: 50 });
  const start = performance.now();
  await api.expect(200, 'GET', path);
  assert.ok(performance.now() - start >= 45);
  remove();
  await api.expect(200, 'GET', path);
  assert.equal(sandbox.faults.struck.latency, 1);
});

test('the probability of faults is seeded', async (t) => {
  const strikes = async () => {
    const { sandbox, api } = await open(t, { seed: 7 });
    sandbox.faults.add({ kind: 'status', code: 500 }, { probability: 0.5 });
    const all: number[] = [];
    for (let call = 0; call < 20; call++) all.push((await api.call('GET', path)).status);
    return all;
  };
  const first = await strikes();
  assert.deepEqual(await strikes(), first);
  assert.ok(first.includes(200) && first.includes(500));
});

test('watches can be dropped, and silenced while they stay open', async (t) => {
  const { sandbox, api } = await open(t, { bookmarkEvery: 5 });
  const dropped = await api.watch(`${path}?watch=true`);
  sandbox.faults.dropWatches();
  await assert.rejects(dropped.next());
  const opened = await api.watch(`${path}?watch=true&allowWatchBookmarks=true`);
  assert.equal((await opened.next())?.['type'], 'BOOKMARK');
  sandbox.faults.silenceWatches();
  sandbox.faults.add({ kind: 'silence' }, { count: 1 });
  const silent = await api.watch(`${path}?watch=true&allowWatchBookmarks=true`);
  const loud = await api.watch(`${path}?watch=true`);
  sandbox.objects.put(run('a'));
  assert.deepEqual(await loud.names(1), ['ADDED a']);
  const told = silent.names(1).then(() => 'told');
  assert.equal(await Promise.race([told, pause(50, 'silent')]), 'silent');
  told.catch(() => undefined);
  for (const watch of [opened, silent, loud]) watch.close();
});

test('bookmarks carry the newest version', async (t) => {
  const { sandbox, api } = await open(t, { bookmarkEvery: 5 });
  const watch = await api.watch(`${path}?watch=true&allowWatchBookmarks=true`);
  const other = sandbox.objects.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'default' },
  });
  const version = Number(at(other, 'metadata', 'resourceVersion'));
  for (;;) {
    const event = await watch.next();
    assert.equal(event?.['type'], 'BOOKMARK');
    if (Number(at(event, 'object', 'metadata', 'resourceVersion')) === version) break;
  }
  watch.close();
});

test('after a compaction old versions and continue tokens get 410; the token in that answer continues the list', async (t) => {
  const { sandbox, api } = await open(t);
  for (const name of ['a', 'b', 'c']) sandbox.objects.put(run(name));
  const first = await api.expect(200, 'GET', `${path}?limit=1`);
  const version = String(at(first, 'metadata', 'resourceVersion'));
  sandbox.objects.put(run('d'));
  sandbox.faults.compact();
  const gone = await api.expect(
    410,
    'GET',
    `${path}?limit=1&continue=${String(at(first, 'metadata', 'continue'))}`,
  );
  assert.equal(gone['reason'], 'Expired');
  const rest = await api.expect(200, 'GET', `${path}?continue=${String(at(gone, 'metadata', 'continue'))}`);
  assert.equal(Array.isArray(rest['items']) ? rest['items'].length : 0, 3);
  const watch = await api.watch(`${path}?watch=true&resourceVersion=${version}`);
  assert.equal(at(await watch.next(), 'object', 'code'), 410);
  sandbox.faults.expiredAs = 'status';
  await api.expect(410, 'GET', `${path}?watch=true&resourceVersion=${version}`);
});

test('history is bounded, and what is too old gets 410', async (t) => {
  const { sandbox, api } = await open(t, { history: 10 });
  const version = String(at(await api.expect(200, 'GET', path), 'metadata', 'resourceVersion'));
  for (let index = 0; index < 50; index++) sandbox.objects.put(run('a', { spec: { index } }));
  const watch = await api.watch(`${path}?watch=true&resourceVersion=${version}`);
  assert.equal(at(await watch.next(), 'object', 'code'), 410);
});

test('the kubeconfig has the token in the address, since kubectl sends none over plain HTTP', async (t) => {
  const { sandbox, api } = await open(t);
  const config = parse(sandbox.kubeconfig);
  const server: string = config.clusters[0].cluster.server;
  assert.equal(server, `${sandbox.url}/${sandbox.token}`);
  await api.expect(200, 'GET', `/${sandbox.token}/api/v1/namespaces`, { token: 'none' });
  await api.expect(401, 'GET', '/api/v1/namespaces', { token: 'none' });
  assert.equal(
    sandbox.requests.matching({}).some(({ path }) => path.includes(sandbox.token)),
    false,
  );
});
