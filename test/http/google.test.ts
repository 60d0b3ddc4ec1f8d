import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { failuresOf } from '../../src/http/failures.ts';
import { openGoogle } from '../../src/http/google.ts';
import { firstly } from '../doubles/web.ts';
import { startGoogle } from '../doubles/google.ts';

const failures = failuresOf({ unavailable: 'STORE_UNAVAILABLE', refused: 'STORE_REFUSED', temporary: [] });
const host = 'pubsub.googleapis.com';
const scope = 'https://www.googleapis.com/auth/pubsub';
const call = { what: 'ask', method: 'GET', url: '/v1/thing' } as const;

/** An API of Google's that answers every good call, and a client of it. */
async function start(context: TestContext, timeout = 10_000) {
  const google = await startGoogle(context, {
    host,
    scopes: [scope],
    respond: () => ({ status: 200, json: {} }),
  });
  const options = { origin: `https://${host}`, scope, failures };
  const service = openGoogle({ ...options, timeout, limits: { timeout: 5_000 } });
  context.after(() => service.close());
  const tokensAsked = () => google.requests.filter(({ url }) => url.pathname === '/token').length;
  return { google, service, tokensAsked };
}

test('one token is for many calls', async (context) => {
  const { service, tokensAsked } = await start(context);
  for (let calls = 0; calls < 3; calls += 1) await service.call(call);
  assert.equal(tokensAsked(), 1);
});

test('a request for a token that hangs holds up the calls that wait for it, and no later one', async (context) => {
  const { google, service } = await start(context, 1_000);
  google.trouble = firstly('hang', 1);
  const expected = {
    code: 'STORE_UNAVAILABLE',
    message: 'ask: get an access token: no answer within 1 s',
  };
  const waiting = [service.call(call), service.call(call)];
  await Promise.all(waiting.map((one) => assert.rejects(one, expected)));
  assert.equal((await service.call(call)).status, 200);
});

test("a call that is given up while it waits for a token ends for the signal's reason", async (context) => {
  const { google, service } = await start(context);
  google.trouble = firstly('hang', 1);
  const reason = new Error('shutting down');
  const controller = new AbortController();
  const waiting = service.call({ ...call, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);
  await assert.rejects(waiting, reason);
  assert.equal((await service.call(call)).status, 200);
});

test('after a token was refused, or could not be had, the credentials are read again', async (context) => {
  const { google, service } = await start(context);
  await service.call(call);
  google.revokeTokens();
  await google.signInAs('writer');
  await assert.rejects(service.call(call), { code: 'STORE_REFUSED', status: 401 });
  await service.call(call);
  google.revokeTokens();
  await assert.rejects(service.call(call), { status: 401 });
  await writeFile(process.env['GOOGLE_APPLICATION_CREDENTIALS'] ?? '', 'no JSON');
  await assert.rejects(service.call(call), {
    code: 'STORE_REFUSED',
    message: /GOOGLE_APPLICATION_CREDENTIALS/,
  });
  await google.signInAs('writer');
  await service.call(call);
});

test('no error holds the credential', async (context) => {
  const { google, service } = await start(context);
  for (const give of [{ status: 400, json: { error: 'invalid_grant' } }, 'hang up'] as const) {
    google.trouble = firstly(give, 10);
    await assert.rejects(service.call(call), (error: Error) => {
      assert.equal(error.cause, undefined);
      assert.doesNotMatch(error.message, /eyJ|PRIVATE KEY/);
      return true;
    });
  }
});

test('no other server sees the token', async (context) => {
  const { google, service } = await start(context);
  const other = 'https://oauth2.googleapis.com/elsewhere';
  await assert.rejects(service.call({ ...call, url: other }), { status: 404 });
  assert.equal(google.requests.at(-1)?.headers.authorization, undefined);
});
