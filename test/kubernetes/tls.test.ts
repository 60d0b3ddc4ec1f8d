import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { Rest } from '../../src/kubernetes/rest.ts';
import { ChainsError } from '../../src/errors.ts';
import { createAuthority, type Pair } from './certificates.ts';
import {
  answer,
  folder,
  kubeconfigOf,
  open,
  serve,
  serveProxy,
  serveTls,
  serveWith,
  write,
} from './servers.ts';

const ca = createAuthority('ca');
const server = ca.issue('server', ['localhost', 'api.example.test']);
const client = ca.issue('client');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const trusting = { 'certificate-authority-data': base64(ca.cert) };

/** A server that answers with the name in the client's certificate. */
function secure(test: TestContext, pair: Pair = server): Promise<number> {
  return serveTls(
    test,
    { ...pair, ca: ca.cert, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      assert.ok(request.socket instanceof TLSSocket);
      const { subject } = request.socket.getPeerCertificate();
      answer(response, { name: subject?.CN ?? 'nobody', host: request.headers.host ?? '' });
    },
  );
}

async function ask(
  test: TestContext,
  cluster: object,
  user: object = {},
  environment: NodeJS.ProcessEnv = {},
) {
  const connection = await open(test, kubeconfigOf(cluster, user), { environment });
  const answered = await new Rest(connection).get(
    { group: '', version: 'v1', plural: 'nodes' },
    { namespace: '', name: 'x' },
  );
  return answered['name'];
}

test('a server is accepted whose certificate is signed by the CA, given as data or file', async (t) => {
  const address = `https://127.0.0.1:${await secure(t)}`;
  assert.equal(await ask(t, { server: address, ...trusting }), 'nobody');
  const file = await write(await folder(t), 'ca.crt', ca.cert);
  assert.equal(await ask(t, { server: address, 'certificate-authority': file }), 'nobody');
});

test('a client certificate is shown, given as data or files', async (t) => {
  const cluster = { server: `https://127.0.0.1:${await secure(t)}`, ...trusting };
  const data = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) };
  assert.equal(await ask(t, cluster, data), 'client');
  const path = await folder(t);
  await write(path, 'client.crt', client.cert);
  const files = {
    'client-certificate': `${path}/client.crt`,
    'client-key': await write(path, 'client.key', client.key),
  };
  assert.equal(await ask(t, cluster, files), 'client');
});

test('a certificate of another CA is an error that says so and names the field', async (t) => {
  const other = { 'certificate-authority-data': base64(createAuthority('other').cert) };
  for (const cluster of [other, {}]) {
    await assert.rejects(ask(t, { server: `https://127.0.0.1:${await secure(t)}`, ...cluster }), {
      code: 'CLUSTER_UNAVAILABLE',
      message: /its certificate is not signed by the configured CA$/,
      hint: /certificate-authority\(-data\)/,
    });
  }
});

test('a certificate for another name is an error, unless tls-server-name says which', async (t) => {
  const port = await secure(t, ca.issue('elsewhere', ['api.example.test']));
  const cluster = { server: `https://localhost:${port}`, ...trusting };
  await assert.rejects(ask(t, cluster), {
    message: /its certificate is for another host name$/,
    hint: /tls-server-name/,
  });
  assert.equal(await ask(t, { ...cluster, 'tls-server-name': 'api.example.test' }), 'nobody');
});

test('a certificate that has expired is an error that says so', async (t) => {
  const port = await secure(t, ca.issue('old', ['localhost'], new Date('2021-01-01T00:00:00Z')));
  await assert.rejects(ask(t, { server: `https://127.0.0.1:${port}`, ...trusting }), {
    message: /its certificate has expired$/,
  });
});

test('insecure-skip-tls-verify believes any certificate', async (t) => {
  const cluster = { server: `https://127.0.0.1:${await secure(t)}`, 'insecure-skip-tls-verify': true };
  assert.equal(await ask(t, cluster), 'nobody');
});

test('https to a server without TLS is an error that says so', async (t) => {
  const plain = await serve(t, (_, response) => answer(response, {}));
  await assert.rejects(ask(t, { server: plain.replace('http:', 'https:'), ...trusting }), {
    message: /it does not speak TLS$/,
  });
});

test('proxy-url is tunnelled through, TLS and client certificate from end to end', async (t) => {
  const proxy = await serveProxy(t, await secure(t));
  const cluster = {
    server: 'https://api.example.test:6443',
    'proxy-url': proxy.url.replace('//', '//me:p%40ss@'),
    ...trusting,
  };
  const user = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) };
  assert.equal(await ask(t, cluster, user), 'client');
  const authorization = `Basic ${base64('me:p@ss')}`;
  assert.deepEqual(proxy.tunnels, [{ target: 'api.example.test:6443', authorization }]);
});

test('HTTPS_PROXY is used, but not for what NO_PROXY lists, and not before proxy-url', async (t) => {
  const port = await secure(t);
  const [proxy, other] = [await serveProxy(t, port), await serveProxy(t, port)];
  const cluster = { server: 'https://api.example.test:6443', ...trusting };
  const HTTPS_PROXY = proxy.url;
  assert.equal(await ask(t, cluster, {}, { HTTPS_PROXY }), 'nobody');
  assert.equal(proxy.tunnels.length, 1);
  await assert.rejects(ask(t, cluster, {}, { HTTPS_PROXY, NO_PROXY: 'example.test' }), {
    code: 'CLUSTER_UNAVAILABLE',
  });
  assert.equal(await ask(t, { ...cluster, 'proxy-url': other.url }, {}, { HTTPS_PROXY }), 'nobody');
  assert.deepEqual([proxy.tunnels.length, other.tunnels.length], [1, 1]);
});

test('the wrong CA and the wrong name are found through a proxy too, also for an address', async (t) => {
  const proxy = await serveProxy(t, await secure(t));
  const cluster = { 'proxy-url': proxy.url, ...trusting };
  await assert.rejects(ask(t, { ...cluster, server: 'https://10.0.0.1:6443' }), {
    message: /for another host name$/,
  });
  await assert.rejects(ask(t, { ...cluster, server: 'https://other.test' }), {
    message: /for another host name$/,
  });
  const other = { 'certificate-authority-data': base64(createAuthority('other').cert) };
  await assert.rejects(ask(t, { ...cluster, ...other, server: 'https://localhost' }), {
    message: /not signed by the configured CA$/,
  });
});

for (const [name, refusal] of Object.entries({
  'that asks for another password': 'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n',
  'that hangs up': '',
})) {
  test(`a proxy ${name} is an error that says so, without its password`, async (t) => {
    const proxy = createServer();
    proxy.on('connect', (_, socket) => socket.end(refusal));
    const url = (await serveWith(t, proxy)).replace('//', '//me:hunter2@');
    await assert.rejects(ask(t, { server: 'https://api.example.test', 'proxy-url': url }), (error) => {
      assert.ok(error instanceof ChainsError);
      assert.equal(error.code, 'CLUSTER_UNAVAILABLE');
      assert.match(error.message, /no answer from https:\/\/api\.example\.test: .*proxy/i);
      assert.doesNotMatch(`${error.message}${error.hint}`, /hunter2/);
      return true;
    });
  });
}
