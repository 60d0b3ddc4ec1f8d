import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { fetch } from 'undici';
import { Health } from '../../src/telemetry/health.ts';
import { serveHealth, serveMetrics } from '../../src/telemetry/server.ts';

const local = { port: 0, host: '127.0.0.1' };

async function ask(port: number, path: string, method = 'GET') {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

test('readiness has a line for each check, and is 503 while one has trouble', async (t) => {
  const ready = new Health();
  ready.set('config', undefined);
  ready.set('artifacts.oci.storage', 'the registry\nrefused');
  const server = await serveHealth(local, new Health(), ready);
  t.after(() => server.close());
  const bad = await ask(server.port, '/readyz');
  assert.equal(bad.status, 503);
  assert.equal(bad.body, '[+] config ok\n[-] artifacts.oci.storage: the registry refused\nnot ok\n');
  ready.set('artifacts.oci.storage', undefined);
  const good = await ask(server.port, '/readyz?verbose');
  assert.equal(good.status, 200);
  assert.equal(good.body, '[+] config ok\n[+] artifacts.oci.storage ok\nok\n');
});

test('liveness has its own checks, which may be asked again each time', async (t) => {
  const live = new Health();
  const state: { trouble?: string } = {};
  live.set('watch', () => state.trouble);
  const server = await serveHealth(local, live, new Health());
  t.after(() => server.close());
  assert.equal((await ask(server.port, '/healthz')).status, 200);
  state.trouble = 'silent for 10 minutes';
  assert.equal((await ask(server.port, '/healthz')).body, '[-] watch: silent for 10 minutes\nnot ok\n');
  live.remove('watch');
  assert.equal((await ask(server.port, '/healthz')).body, 'ok\n');
});

test('metrics are served with their content type', async (t) => {
  const server = await serveMetrics(local, async () => ({
    contentType: 'text/plain; version=0.0.4',
    body: 'x 1\n',
  }));
  t.after(() => server.close());
  const page = { status: 200, type: 'text/plain; version=0.0.4' };
  assert.deepEqual(await ask(server.port, '/metrics'), { ...page, body: 'x 1\n' });
  assert.deepEqual(await ask(server.port, '/metrics', 'HEAD'), { ...page, body: '' });
});

test('other paths and methods are refused, and a page that fails is a 500', async (t) => {
  const server = await serveMetrics(local, () => Promise.reject(new Error('no numbers today')));
  t.after(() => server.close());
  for (const path of ['/', '/constructor', '/metrics/x'])
    assert.equal((await ask(server.port, path)).status, 404);
  assert.equal((await ask(server.port, '/metrics', 'POST')).status, 405);
  const { status, body } = await ask(server.port, '/metrics');
  assert.deepEqual([status, body], [500, 'no numbers today\n']);
});

test('a port that is in use, or is none, is one clear line', async (t) => {
  const first = await serveHealth(local, new Health(), new Health());
  t.after(() => first.close());
  const where = { ...local, port: first.port };
  await assert.rejects(serveHealth(where, new Health(), new Health()), {
    code: 'USAGE',
    message: `port ${first.port} for health is in use: choose another with --health-port, or 0 for any that is free`,
  });
  await assert.rejects(serveHealth({ ...local, port: 99999 }, new Health(), new Health()), { code: 'USAGE' });
});

test('closing ends connections that are open', async () => {
  const server = await serveHealth(local, new Health(), new Health());
  const socket = connect(server.port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await server.close();
  await ended;
});
