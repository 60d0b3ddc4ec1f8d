import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../src/json.ts';
import { failuresOf } from '../../src/http/failures.ts';
import { openService, type ServiceOptions, words } from '../../src/http/service.ts';
import { type Answer, startWeb, type Trouble } from '../doubles/web.ts';

const failures = failuresOf({ unavailable: 'STORE_UNAVAILABLE', refused: 'STORE_REFUSED', temporary: [409] });

/** A service that answers everything with this, and a client of it. */
async function start(
  context: { after(end: () => Promise<void>): void },
  answer: Answer,
  options: Partial<ServiceOptions> = {},
) {
  const web = await startWeb(() => answer);
  const service = openService({
    failures,
    reasonIn: ({ body }) => words([at(body, 'code'), at(body, 'message')]),
    ...options,
  });
  context.after(async () => {
    await Promise.all([web.close(), service.close()]);
  });
  const call = { what: 'ask', method: 'POST', url: `${web.url}/path?query`, body: '{}' } as const;
  return { web, service, call };
}

test('JSON goes there and comes back', async (context) => {
  const { web, service, call } = await start(context, { status: 201, json: { found: 1 } });
  const { status, body } = await service.call(call);
  assert.deepEqual([status, body], [201, { found: 1 }]);
  const [request] = web.requests;
  assert.equal(request?.headers['content-type'], 'application/json');
  assert.equal(request.headers.accept, 'application/json');
  assert.match(String(request.headers['user-agent']), /^tekton-chains\//);
  assert.equal(request.url.search, '?query');
});

test('bytes have the type that the call gives them, and an answer need not be JSON', async (context) => {
  const { web, service, call } = await start(context, { status: 200, text: 'text' });
  const headers = { accept: '*/*' };
  const { bytes, body } = await service.call({ ...call, headers, body: Buffer.from('bytes') });
  assert.deepEqual([Buffer.from(bytes).toString(), body], ['text', undefined]);
  const [request] = web.requests;
  assert.equal(request?.headers.accept, '*/*');
  assert.equal(request.headers['content-type'], undefined);
});

for (const [status, code] of [
  [400, 'STORE_REFUSED'],
  [403, 'STORE_REFUSED'],
  [404, 'STORE_REFUSED'],
  [408, 'STORE_UNAVAILABLE'],
  [409, 'STORE_UNAVAILABLE'],
  [412, 'STORE_REFUSED'],
  [425, 'STORE_UNAVAILABLE'],
  [429, 'STORE_UNAVAILABLE'],
  [503, 'STORE_UNAVAILABLE'],
] as const) {
  test(`${status} is ${code}, in the service's own words, unless the call expects it`, async (context) => {
    const json = { code: 'Some', message: 'line\nbreak' };
    const headers = { 'retry-after': '7' };
    const { service, call } = await start(context, { status, json, headers });
    const message = `ask: ${status} Some: line break`;
    await assert.rejects(service.call(call), { code, status, message, retryAfter: 7_000 });
    assert.equal((await service.call({ ...call, expects: [status] })).status, status);
  });
}

test('a hint is for want of a permission alone', async (context) => {
  const hint = 'Give the account the role.';
  for (const [status, told] of [
    [401, hint],
    [403, hint],
    [404, undefined],
  ] as const) {
    const { service, call } = await start(context, { status });
    await assert.rejects(service.call({ ...call, hint }), { status, hint: told });
  }
});

for (const [name, trouble, options] of [
  ['that hangs is given up after the time for a call', () => 'hang', { timeout: 100 }],
  ['that is silent is given up', () => 'hang', { silence: 100 }],
  ['that hangs up has not answered', () => 'hang up', {}],
  ['that answers more than any answer is has not answered', () => undefined, { longestAnswer: 3 }],
] as readonly (readonly [string, Trouble, Partial<ServiceOptions>])[]) {
  test(`a service ${name}, and the error holds nothing of the call`, async (context) => {
    const { web, service, call } = await start(context, { status: 200, text: 'four' }, options);
    web.trouble = trouble;
    const headers = { authorization: 'Bearer secret' };
    await assert.rejects(service.call({ ...call, headers }), (error: Error) => {
      assert.match(error.message, /^ask: no answer/);
      assert.equal('code' in error && error.code, 'STORE_UNAVAILABLE');
      assert.equal(error.cause, undefined);
      return true;
    });
  });
}

test('a proxy is asked for every server but those of NO_PROXY, and for none on this machine', async (context) => {
  const proxy = await startWeb(() => ({ status: 200 }));
  const before = { ...process.env };
  context.after(async () => {
    process.env = before;
    await proxy.close();
  });
  Object.assign(process.env, { HTTP_PROXY: proxy.url, NO_PROXY: 'straight.invalid' });
  const { web, service, call } = await start(context, { status: 200 });
  await service.call({ ...call, url: 'http://service.invalid/' });
  assert.deepEqual([proxy.requests.length, web.requests.length], [1, 0]);
  await assert.rejects(service.call({ ...call, url: 'http://straight.invalid/' }), /no answer/);
  await service.call(call);
  assert.deepEqual([proxy.requests.length, web.requests.length], [1, 1]);
});

test("a call ends with its signal, for the signal's own reason", async (context) => {
  const { web, service, call } = await start(context, { status: 200 }, { timeout: 10_000 });
  web.trouble = () => 'hang';
  const reason = new Error('shutting down');
  await assert.rejects(service.call({ ...call, signal: AbortSignal.abort(reason) }), reason);
  assert.equal(web.requests.length, 0);
  const controller = new AbortController();
  const answer = service.call({ ...call, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);
  await assert.rejects(answer, reason);
});
