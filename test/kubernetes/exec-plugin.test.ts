import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { createAuthority } from './certificates.ts';
import { answer, folder, kubeconfigOf, open, refuse, serve, serveTls, write } from './servers.ts';

const nodes = { group: '', version: 'v1', plural: 'nodes' };
const node = { namespace: '', name: 'x' };
const server = 'https://127.0.0.1:6443';
const environment = { PATH: process.env['PATH'] ?? '' };
const ca = createAuthority('ca');

/** A plugin in JavaScript that notes each run; `body` sees `status`, `credential` and `run` (from 1). */
async function plugin(test: TestContext, body: string, more: object = {}, version = 'v1') {
  const path = await folder(test);
  const apiVersion = `client.authentication.k8s.io/${version}`;
  const script = `
    const { appendFileSync, readFileSync } = require('node:fs');
    const { argv, env } = process;
    appendFileSync(${JSON.stringify(join(path, 'runs'))}, JSON.stringify({ arguments: argv.slice(2), chosen: env.CHOSEN, info: env.KUBERNETES_EXEC_INFO }) + '\\n');
    const run = readFileSync(${JSON.stringify(join(path, 'runs'))}, 'utf8').trim().split('\\n').length;
    const print = (status) => console.log(JSON.stringify({ apiVersion: '${apiVersion}', kind: 'ExecCredential', status }));
    ${body}`;
  const command = await write(
    path,
    'plugin',
    `#!/bin/sh\nexec "${process.execPath}" "${path}/plugin.cjs" "$@"\n`,
    0o755,
  );
  await write(path, 'plugin.cjs', script);
  const runs = async () => {
    const lines = (await readFile(join(path, 'runs'), 'utf8')).trim().split('\n');
    return lines.map((line): { arguments: string[]; chosen?: string; info: string } => JSON.parse(line));
  };
  return { user: { exec: { apiVersion, command, interactiveMode: 'Never', ...more } }, runs };
}

for (const version of ['v1', 'v1beta1']) {
  test(`a plugin of ${version} gives the token, and runs once`, async (t) => {
    const more = { args: ['a', 'b c'], env: [{ name: 'CHOSEN', value: 'yes' }] };
    const { user, runs } = await plugin(t, 'print({ token: `token-${run}` });', more, version);
    const connection = await open(t, kubeconfigOf({ server }, user), { environment });
    assert.equal(await connection.authorization(), 'Bearer token-1');
    assert.equal(await connection.authorization(), 'Bearer token-1');
    const [first, ...others] = await runs();
    assert.deepEqual([first?.arguments, first?.chosen, others], [['a', 'b c'], 'yes', []]);
    assert.deepEqual(JSON.parse(first?.info ?? ''), {
      apiVersion: `client.authentication.k8s.io/${version}`,
      kind: 'ExecCredential',
      spec: { interactive: false },
    });
  });
}

test('a plugin that wants it receives data about the cluster', async (t) => {
  const { user, runs } = await plugin(t, 'print({ token: "t" });', { provideClusterInfo: true });
  const data = Buffer.from(ca.cert).toString('base64');
  const cluster = {
    server,
    'certificate-authority-data': data,
    'tls-server-name': 'api',
    extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }],
  };
  await open(t, kubeconfigOf(cluster, user), { environment });
  const [first] = await runs();
  assert.deepEqual(JSON.parse(first?.info ?? '').spec.cluster, {
    server,
    'certificate-authority-data': data,
    'tls-server-name': 'api',
    config: { audience: 'x' },
  });
});

test('a plugin runs again when what it gave has expired', async (t) => {
  let now = Date.parse('2030-01-01T00:00:00Z');
  const { user } = await plugin(
    t,
    'print({ token: `token-${run}`, expirationTimestamp: "2030-01-01T00:00:30Z" });',
  );
  const connection = await open(t, kubeconfigOf({ server }, user), { environment, now: () => now });
  now += 29_000;
  assert.equal(await connection.authorization(), 'Bearer token-1');
  now += 1_000;
  assert.equal(await connection.authorization(), 'Bearer token-2');
});

test('a plugin that fails once its credential has expired makes calls unavailable, not refused', async (t) => {
  let now = Date.parse('2030-01-01T00:00:00Z');
  const { user, runs } = await plugin(
    t,
    'if (run > 1) process.exit(1); print({ token: "t", expirationTimestamp: "2030-01-01T00:00:30Z" });',
  );
  const connection = await open(t, kubeconfigOf({ server }, user), { environment, now: () => now });
  now += 30_000;
  await assert.rejects(connection.authorization(), { code: 'CLUSTER_UNAVAILABLE', message: /exit code 1/ });
  await assert.rejects(connection.authorization(), { code: 'CLUSTER_UNAVAILABLE' });
  assert.equal((await runs()).length, 2, 'it is not run for every call');
});

test('a 401 makes the plugin run once for all calls that it failed', async (t) => {
  const { user, runs } = await plugin(t, 'print({ token: `token-${run}` });');
  const url = await serve(t, ({ headers }, response) => {
    if (headers.authorization === 'Bearer token-1') refuse(response, 401, 'Unauthorized');
    else answer(response, { authorization: headers.authorization });
  });
  let now = Date.now();
  const connection = await open(t, kubeconfigOf({ server: url }, user), { environment, now: () => now });
  now += 2_000;
  const rest = new Rest(connection);
  const answers = await Promise.all(Array.from({ length: 10 }, () => rest.get(nodes, node)));
  assert.deepEqual(new Set(answers.map(({ authorization }) => authorization)), new Set(['Bearer token-2']));
  assert.equal((await runs()).length, 2);
});

test('a plugin may give a client certificate', async (t) => {
  const { cert, key } = ca.issue('from-plugin');
  const status = JSON.stringify({ clientCertificateData: cert, clientKeyData: key });
  const { user } = await plugin(t, `print(${status});`);
  const options = { ...ca.issue('server'), ca: ca.cert, requestCert: true, rejectUnauthorized: true };
  const port = await serveTls(t, options, (_, response) => answer(response, { yes: true }));
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    'certificate-authority-data': Buffer.from(ca.cert).toString('base64'),
  };
  const rest = new Rest(await open(t, kubeconfigOf(cluster, user), { environment }));
  assert.deepEqual(await rest.get(nodes, node), { yes: true });
});

const secret = 'hunter2hunter2';
const failures: Record<string, readonly [body: string, message: RegExp]> = {
  'a plugin that fails': [
    `console.error('${secret}'); console.log('${secret}'); process.exit(3);`,
    /failed \(exit code 3\); run it by hand/,
  ],
  'a plugin that prints no JSON': [`console.log('${secret}');`, /printed is not an ExecCredential in JSON$/],
  'a plugin that prints nothing': ['', /printed is not an ExecCredential in JSON$/],
  'a plugin without a status': [
    `console.log('{"apiVersion":"x","kind":"ExecCredential"}');`,
    /is not an ExecCredential: status is missing or wrong$/,
  ],
  'a plugin of another version': [
    `console.log('{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"${secret}"}}');`,
    /has another apiVersion than client\.authentication\.k8s\.io\/v1$/,
  ],
  'a plugin that gives nothing': ['print({});', /has neither a token nor a client certificate$/],
  'a plugin that gives half a pair': [
    `print({ clientCertificateData: '${secret}' });`,
    /only one of clientCertificateData and clientKeyData$/,
  ],
  'a plugin that gives a broken certificate': [
    `print({ clientCertificateData: '${secret}', clientKeyData: '${secret}' });`,
    /status\.clientCertificateData: holds no certificate in PEM/,
  ],
  'a plugin that gives a broken token': [
    `print({ token: '${secret} ${secret}' });`,
    /status\.token: holds characters that no token has/,
  ],
  'a plugin with a broken time': [
    `print({ token: '${secret}', expirationTimestamp: 'soon' });`,
    /status\.expirationTimestamp is missing or wrong$/,
  ],
};
for (const [name, [body, message]] of Object.entries(failures)) {
  test(`${name} is one clear line without what it printed`, async (t) => {
    const { user } = await plugin(t, body, { installHint: 'Get it from the team.\n' });
    await assert.rejects(
      open(t, kubeconfigOf({ server }, user), { environment }),
      (error: Error & { hint?: string }) => {
        assert.match(error.message, /user "somebody": exec: /);
        assert.match(error.message, message);
        assert.doesNotMatch(`${error.message}${error.hint}`, new RegExp(`${secret}|\n`));
        return true;
      },
    );
  });
}

test('a plugin that is not installed gives the install hint', async (t) => {
  const user = {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'no-such-plugin',
      installHint: 'Get it from the team.',
    },
  };
  await assert.rejects(open(t, kubeconfigOf({ server }, user), { environment }), {
    code: 'CONNECTION_INVALID',
    message: /the command no-such-plugin is not installed, or not in PATH$/,
    hint: 'Get it from the team.',
  });
});

test('a command with a relative path is relative to the kubeconfig', async (t) => {
  const { user } = await plugin(t, 'print({ token: "t" });');
  const path = dirname(user.exec.command);
  const exec = { ...user.exec, command: './plugin' };
  const kubeconfig = await write(path, 'config', kubeconfigOf({ server }, { exec }));
  const connection = await openConnection({ kubeconfig, environment });
  t.after(() => connection.close());
  assert.equal(await connection.authorization(), 'Bearer t');
});

test('a plugin that waits for an answer is not waited for', async (t) => {
  const { user } = await plugin(t, 'process.stdin.on("end", () => print({ token: "t" })).resume();');
  const connection = await open(t, kubeconfigOf({ server }, user), { environment });
  assert.equal(await connection.authorization(), 'Bearer t');
});

test('a plugin that needs a terminal is refused', async (t) => {
  const { user } = await plugin(t, 'print({ token: "t" });', { interactiveMode: 'Always' });
  await assert.rejects(open(t, kubeconfigOf({ server }, user), { environment }), {
    message: /interactiveMode is Always/,
  });
});
