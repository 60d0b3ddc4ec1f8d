import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ApiCall, isNotFound, type ListPage, Rest, type WatchEvent } from '../../src/kubernetes/rest.ts';
import { ChainsError } from '../../src/errors.ts';
import {
  answer,
  bodyOf,
  folder,
  kubeconfigOf,
  type Listener,
  open,
  refuse,
  restOf,
  serve,
  write,
} from './servers.ts';

const taskRuns = { group: 'tekton.dev', version: 'v1', plural: 'taskruns' };
const build = { namespace: 'team', name: 'build' };

async function client(
  test: TestContext,
  listener: Listener,
  options?: ConstructorParameters<typeof Rest>[1],
) {
  return restOf(test, await serve(test, listener), options);
}

/** The error of a get that is answered in this way. */
async function failureOf(test: TestContext, listener: Listener, timeout = 30_000): Promise<ChainsError> {
  const rest = await client(test, listener, { timeout });
  try {
    await rest.get(taskRuns, build);
  } catch (error) {
    if (error instanceof ChainsError) return error;
    throw error;
  }
  throw new Error('the get did not fail');
}

test('a get asks for the path of the object, with token and user agent, and reports the call', async (t) => {
  const calls: ApiCall[] = [];
  let seen: string[] = [];
  const listener: Listener = ({ url = '', headers }, response) => {
    seen = [url, headers.authorization ?? '', headers['user-agent'] ?? ''];
    answer(response, { kind: 'TaskRun' });
  };
  const rest = await client(t, listener, { onCall: (call) => calls.push(call) });
  assert.deepEqual(await rest.get(taskRuns, build), { kind: 'TaskRun' });
  assert.deepEqual(seen.slice(0, 2), ['/apis/tekton.dev/v1/namespaces/team/taskruns/build', 'Bearer secret']);
  assert.match(seen[2] ?? '', /^tekton-chains\/\d+\.\d+\.\d+$/);
  assert.partialDeepStrictEqual(calls, [{ verb: 'get', resource: 'taskruns.tekton.dev', status: 200 }]);
});

test('the server address may have a path, and names are escaped', async (t) => {
  let seen = '';
  const server = await serve(t, ({ url = '' }, response) => {
    seen = url;
    answer(response, {});
  });
  await (await restOf(t, `${server}/k8s/clusters/a/`)).get(
    { group: '', version: 'v1', plural: 'nodes' },
    { namespace: '', name: 'a b' },
  );
  assert.equal(seen, '/k8s/clusters/a/api/v1/nodes/a%20b');
});

test('apply is a forced apply patch of our manager that asks for metadata back', async (t) => {
  let seen: unknown[] = [];
  const rest = await client(t, async (request, response) => {
    const { method, url, headers } = request;
    seen = [method, url, headers['content-type'], headers.accept, JSON.parse(await bodyOf(request))];
    answer(response, { kind: 'PartialObjectMetadata' });
  });
  const body = {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { uid: 'u', annotations: { é: '☃' } },
  };
  await rest.apply(taskRuns, build, body);
  assert.deepEqual(seen, [
    'PATCH',
    '/apis/tekton.dev/v1/namespaces/team/taskruns/build?fieldManager=tekton-chains-controller&force=true',
    'application/apply-patch+yaml',
    'application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadata',
    body,
  ]);
});

test('create, merge patch and delete use the methods and paths of the API', async (t) => {
  const seen: string[] = [];
  const rest = await client(t, ({ method, url, headers }, response) => {
    seen.push(`${method} ${url} ${headers['content-type'] ?? ''}`);
    answer(response, {});
  });
  await rest.create(taskRuns, 'team', {});
  await rest.mergePatch(taskRuns, build, {});
  await rest.delete(taskRuns, build);
  const path = '/apis/tekton.dev/v1/namespaces/team/taskruns';
  assert.deepEqual(seen, [
    `POST ${path}?fieldManager=tekton-chains-controller application/json`,
    `PATCH ${path}/build?fieldManager=tekton-chains-controller application/merge-patch+json`,
    `DELETE ${path}/build application/json`,
  ]);
});

test('a list is read page by page, each page only when it is asked for', async (t) => {
  const seen: string[] = [];
  const rest = await client(t, ({ url = '' }, response) => {
    seen.push(url);
    const last = url.includes('continue');
    answer(response, {
      metadata: { resourceVersion: '7', ...(last ? {} : { continue: 'more/+' }) },
      items: last ? null : [{ kind: 'TaskRun' }],
    });
  });
  const pages: ListPage[] = [];
  for await (const page of rest.pages(taskRuns, {
    namespace: 'team',
    labelSelector: 'a notin (b,c)',
    limit: 2,
  })) {
    pages.push(page);
    assert.equal(seen.length, pages.length);
  }
  const bytes = JSON.stringify({
    metadata: { resourceVersion: '7', continue: 'more/+' },
    items: [{ kind: 'TaskRun' }],
  }).length;
  assert.deepEqual(pages[0], { items: [{ kind: 'TaskRun' }], resourceVersion: '7', bytes, next: 'more/+' });
  assert.partialDeepStrictEqual(pages[1], { items: [], resourceVersion: '7', next: undefined });
  const query = new URL(seen[1] ?? '', 'http://x').searchParams;
  assert.deepEqual(Object.fromEntries(query), {
    labelSelector: 'a notin (b,c)',
    limit: '2',
    continue: 'more/+',
  });
});

test('a list of metadata only asks for PartialObjectMetadataList', async (t) => {
  let accept: string | undefined;
  const rest = await client(t, ({ headers }, response) => {
    ({ accept } = headers);
    answer(response, { metadata: { resourceVersion: '1' }, items: [] });
  });
  for await (const page of rest.pages(taskRuns, { metadataOnly: true })) assert.equal(page.items.length, 0);
  assert.equal(accept, 'application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadataList');
});

test('a watch gives events and throws an ERROR event as the error of its status', async (t) => {
  let query = new URLSearchParams();
  const rest = await client(t, ({ url = '' }, response) => {
    query = new URL(url, 'http://x').searchParams;
    response.write('{"type":"ADDED","object":{"metadata":{"resourceVersion":"8"}}}\n{"type":"BOOK');
    response.write('MARK","object":{}}\n');
    response.end('{"type":"ERROR","object":{"code":410,"message":"too old resource version: 1 (2)"}}\n');
  });
  const events: WatchEvent[] = [];
  const watch = async () => {
    for await (const event of rest.watch(taskRuns, { resourceVersion: '7' })) events.push(event);
  };
  await assert.rejects(watch, {
    code: 'CLUSTER_REFUSED',
    status: 410,
    message: 'watch taskruns.tekton.dev: 410 too old resource version: 1 (2)',
  });
  assert.deepEqual(
    events.map(({ type }) => type),
    ['ADDED', 'BOOKMARK'],
  );
  assert.equal(events[0]?.bytes, '{"type":"ADDED","object":{"metadata":{"resourceVersion":"8"}}}'.length);
  const seconds = Number(query.get('timeoutSeconds'));
  assert.ok(seconds >= 300 && seconds < 600);
  assert.partialDeepStrictEqual(Object.fromEntries(query), {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '7',
  });
});

test('a watch that is cut off within a line is unavailable, not a smaller event', async (t) => {
  const rest = await client(t, (_, response) => response.end('{"type":"ADDED","obj'));
  await assert.rejects(() => rest.watch(taskRuns, { resourceVersion: '7' }).next(), {
    code: 'CLUSTER_UNAVAILABLE',
  });
});

test('a watch may be silent for longer than the timeout of other calls', async (t) => {
  const rest = await client(
    t,
    (_, response) => {
      response.flushHeaders();
      setTimeout(() => response.end('{"type":"BOOKMARK","object":{}}\n'), 2_500);
    },
    { timeout: 1_500 },
  );
  assert.equal((await rest.watch(taskRuns, { resourceVersion: '7' }).next()).value?.type, 'BOOKMARK');
});

for (const [status, code] of [
  [400, 'CLUSTER_REFUSED'],
  [403, 'CLUSTER_REFUSED'],
  [404, 'CLUSTER_REFUSED'],
  [410, 'CLUSTER_REFUSED'],
  [422, 'CLUSTER_REFUSED'],
  [409, 'CLUSTER_CONFLICT'],
  [429, 'CLUSTER_UNAVAILABLE'],
  [500, 'CLUSTER_UNAVAILABLE'],
  [503, 'CLUSTER_UNAVAILABLE'],
  [302, 'CLUSTER_UNAVAILABLE'],
] as const) {
  test(`status ${status} is ${code} with the server's message`, async (t) => {
    const error = await failureOf(t, (_, response) => refuse(response, status, 'because\n  of this'));
    assert.equal(error.message, `get taskruns.tekton.dev team/build: ${status} because of this`);
    assert.deepEqual([error.code, error.status], [code, status]);
    assert.equal(isNotFound(error), status === 404);
  });
}

test('Retry-After is read in seconds, as a date, and from the Status', async (t) => {
  const seconds = await failureOf(t, (_, response) => refuse(response, 429, '', { 'retry-after': '7' }));
  assert.equal(seconds.retryAfter, 7_000);
  const date = new Date(Date.now() + 60_000).toUTCString();
  const dated = await failureOf(t, (_, response) => refuse(response, 503, '', { 'retry-after': date }));
  assert.ok(dated.retryAfter !== undefined && dated.retryAfter > 30_000 && dated.retryAfter <= 60_000);
  const inside = await failureOf(t, (_, response) =>
    answer(response, { details: { retryAfterSeconds: 3 } }, 500),
  );
  assert.equal(inside.retryAfter, 3_000);
  const never = await failureOf(t, (_, response) => refuse(response, 429, '', { 'retry-after': 'soon' }));
  assert.equal(never.retryAfter, undefined);
  const forever = await failureOf(t, (_, response) =>
    refuse(response, 429, '', { 'retry-after': '99999999999' }),
  );
  assert.equal(forever.retryAfter, 3_600_000);
});

test("the server's message is bounded", async (t) => {
  const error = await failureOf(t, (_, response) => refuse(response, 403, 'x'.repeat(100_000)));
  assert.ok(error.message.length <= 1_001);
  const page = await failureOf(t, (_, response) =>
    response.writeHead(502).end(`<html>${'x'.repeat(1_000_000)}`),
  );
  assert.match(page.message, /502 \(no Status in the answer: is a proxy in between\?\)$/);
});

const broken: Record<string, readonly [Listener, RegExp]> = {
  'an answer that is not JSON': [
    (_, response) => response.setHeader('content-type', 'text/html').end('<html>login'),
    /the answer is not JSON \(text\/html\)/,
  ],
  'an answer that is not an object': [(_, response) => response.end('[]'), /the answer is not an object/],
  'a body shorter than it says': [
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"kind"');
      setImmediate(() => response.destroy());
    },
    /the connection broke/,
  ],
  'a chunked body that breaks off': [
    (_, response) => {
      response.write('{"kind"');
      setImmediate(() => response.destroy());
    },
    /the connection broke/,
  ],
  'a connection that breaks before the answer': [
    (request) => request.socket.resetAndDestroy(),
    /the connection broke/,
  ],
  'no answer within the timeout': [() => undefined, /it did not answer in time/],
  'an answer that stops half-way': [
    (_, response) => response.write('{"kind"'),
    /it stopped in the middle of its answer/,
  ],
};
for (const [name, [listener, message]] of Object.entries(broken)) {
  test(`${name} is unavailable`, async (t) => {
    const error = await failureOf(t, listener, 500);
    assert.equal(error.code, 'CLUSTER_UNAVAILABLE');
    assert.match(error.message, message);
    assert.match(error.message, /^get taskruns.tekton.dev team\/build: no answer from http:\/\/127/);
  });
}

test('a server that is not there and a name that is not known say so', async (t) => {
  const refused = await restOf(t, 'http://127.0.0.1:1');
  await assert.rejects(refused.get(taskRuns, build), {
    code: 'CLUSTER_UNAVAILABLE',
    message: /nothing listens there/,
    hint: /address/,
  });
  const unknown = await restOf(t, 'http://nowhere.invalid');
  await assert.rejects(unknown.get(taskRuns, build), {
    code: 'CLUSTER_UNAVAILABLE',
    message: /its host name (is not known|can't be looked up)/,
  });
});

test('an abort rejects with the reason of the abort', async (t) => {
  const controller = new AbortController();
  const reason = new Error('stopping');
  const rest = await client(t, () => controller.abort(reason));
  await assert.rejects(rest.get(taskRuns, build, controller.signal), reason);
  await assert.rejects(rest.get(taskRuns, build, controller.signal), reason);
});

test('a 401 is tried once more with a credential that has changed, and only then', async (t) => {
  const seen: (string | undefined)[] = [];
  const server = await serve(t, ({ headers }, response) => {
    seen.push(headers.authorization);
    if (headers.authorization === 'Bearer new') answer(response, {});
    else refuse(response, 401, 'Unauthorized');
  });
  const path = await folder(t);
  const tokenFile = await write(path, 'token', 'old\n');
  const rest = new Rest(await open(t, kubeconfigOf({ server }, { tokenFile })));
  await assert.rejects(rest.get(taskRuns, build), { code: 'CLUSTER_REFUSED', status: 401 });
  assert.deepEqual(seen, ['Bearer old']);
  await write(path, 'token', 'new\n');
  await rest.get(taskRuns, build);
  assert.deepEqual(seen, ['Bearer old', 'Bearer old', 'Bearer new']);
});

test('a resource is served when its version of the group lists it', async (t) => {
  const served = (names: readonly string[]) => ({ resources: names.map((name) => ({ name })) });
  const documents: Record<string, unknown> = {
    '/apis/tekton.dev/v1': served(['taskruns', 'taskruns/status']),
    '/api/v1': served(['configmaps']),
  };
  const rest = await client(t, ({ url = '' }, response) => {
    const document = documents[url];
    if (document === undefined) refuse(response, 404, 'the server could not find the requested resource');
    else answer(response, document);
  });
  assert.equal(await rest.serves({ group: 'tekton.dev', version: 'v1', plural: 'taskruns' }), true);
  assert.equal(await rest.serves({ group: '', version: 'v1', plural: 'configmaps' }), true);
  assert.equal(await rest.serves({ group: 'tekton.dev', version: 'v1', plural: 'customruns' }), false);
  assert.equal(await rest.serves({ group: 'other.dev', version: 'v1', plural: 'things' }), false);
});

test('calls that follow each other share connections', async (t) => {
  const sockets = new Set<unknown>();
  const rest = await client(t, ({ socket }, response) => {
    sockets.add(socket);
    answer(response, {});
  });
  for (let call = 0; call < 20; call++) await rest.get(taskRuns, build);
  assert.ok(sockets.size <= 2);
});
