import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type TestContext, test } from 'node:test';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { createAuthority } from './certificates.ts';
import { answer, folder, serveTls, write } from './servers.ts';

const [oldCa, newCa] = [createAuthority('old-ca'), createAuthority('new-ca')];
const pods = { group: '', version: 'v1', plural: 'pods' };
const pod = { namespace: 'a', name: 'b' };

async function serviceAccount(test: TestContext, ca = oldCa.cert): Promise<string> {
  const path = await folder(test);
  await write(path, 'token', 'first');
  await write(path, 'ca.crt', ca);
  await write(path, 'namespace', 'tekton-chains');
  return path;
}

async function inPod(
  test: TestContext,
  path: string,
  port: number,
  more: { now?: () => number; host?: string } = {},
) {
  const environment = {
    HOME: path,
    KUBERNETES_SERVICE_HOST: more.host ?? '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(port),
  };
  const { now = Date.now } = more;
  const connection = await openConnection({ environment, serviceAccount: path, now });
  test.after(() => connection.close());
  return connection;
}

test('a pod reaches its cluster as its service account', async (t) => {
  let authorization: string | undefined;
  const port = await serveTls(t, oldCa.issue('server'), ({ headers }, response) => {
    ({ authorization } = headers);
    answer(response, {});
  });
  const connection = await inPod(t, await serviceAccount(t), port);
  await new Rest(connection).get(pods, pod);
  assert.deepEqual([connection.namespace, authorization], ['tekton-chains', 'Bearer first']);
});

test('a service address in IPv6 becomes a URL', async (t) => {
  const connection = await inPod(t, await serviceAccount(t), 443, { host: 'fd00::1' });
  assert.equal(connection.server, 'https://[fd00::1]');
});

test('a new CA and token are taken up while a watch continues over the old connection', async (t) => {
  let now = Date.now();
  let watch: ServerResponse | undefined;
  const seen: (string | undefined)[] = [];
  const server = createServer(oldCa.issue('server'), ({ url = '', headers }, response) => {
    if (url.includes('watch')) {
      watch = response;
      response.write('{"type":"BOOKMARK","object":{"at":"first"}}\n');
    } else {
      seen.push(headers.authorization);
      response.setHeader('connection', 'close');
      answer(response, {});
    }
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const path = await serviceAccount(t);
  const connection = await inPod(t, path, address.port, { now: () => now });
  const rest = new Rest(connection);
  const events = rest.watch(pods, { resourceVersion: '1' });
  const at = async () => {
    const { value } = await events.next();
    return value?.object['at'];
  };
  assert.equal(await at(), 'first');
  await rest.get(pods, pod);

  server.setSecureContext(newCa.issue('server'));
  await assert.rejects(rest.get(pods, pod), { message: /not signed by the configured CA/ });
  await write(path, 'ca.crt', oldCa.cert + newCa.cert);
  await write(path, 'token', 'second');
  await rest.get(pods, pod);
  assert.deepEqual(seen, ['Bearer first', 'Bearer second']);

  watch?.write('{"type":"BOOKMARK","object":{"at":"second"}}\n');
  assert.equal(await at(), 'second');

  await write(path, 'ca.crt', newCa.cert);
  await write(path, 'token', 'third');
  now += 61_000;
  await rest.get(pods, pod);
  assert.equal(seen.at(-1), 'Bearer third');
  watch?.write('{"type":"BOOKMARK","object":{"at":"third"}}\n');
  assert.equal(await at(), 'third');
});

test('outside of a pod, and without a kubeconfig, there is one clear line', async (t) => {
  await assert.rejects(openConnection({ environment: { HOME: await folder(t) } }), {
    code: 'CONNECTION_INVALID',
    message: 'no cluster: there is no kubeconfig and this is not a pod; give --kubeconfig or set KUBECONFIG',
  });
});

test('a context without a kubeconfig is an error, in a pod too', async (t) => {
  const environment = {
    HOME: await folder(t),
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
    KUBERNETES_SERVICE_PORT: '443',
  };
  await assert.rejects(openConnection({ context: 'x', environment }), {
    code: 'CONNECTION_INVALID',
    message: 'no cluster: there is no kubeconfig with a context "x"; give --kubeconfig',
  });
});

test('a pod without a service account is named as such', async (t) => {
  const path = await folder(t);
  const environment = { HOME: path, KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
  await assert.rejects(openConnection({ environment, serviceAccount: path }), {
    code: 'CONNECTION_INVALID',
    message: /^service account of this pod: the file .* does not exist/,
  });
});
