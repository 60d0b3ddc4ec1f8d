import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { ChainsError } from '../../src/errors.ts';
import { createAuthority } from './certificates.ts';
import { folder, kubeconfigOf, open, write } from './servers.ts';

const server = 'https://127.0.0.1:6443';
const ca = createAuthority('ca');
const client = ca.issue('client');

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

async function authorizationOf(test: TestContext, user: object): Promise<string | undefined> {
  return (await open(test, kubeconfigOf({ server }, user))).authorization();
}

/** A kubeconfig in YAML of several contexts, each with a cluster and user of its name. */
function contexts(names: readonly string[], current: string | undefined, marker: string): string {
  return [
    ...(current === undefined ? [] : [`current-context: ${current}`]),
    'contexts:',
    ...names.map(
      (name) => `- name: ${name}\n  context: { cluster: ${name}, user: ${name}, namespace: ${marker} }`,
    ),
    'clusters:',
    ...names.map((name) => `- name: ${name}\n  cluster: { server: "https://${name}.${marker}/" }`),
    'users:',
    ...names.map((name) => `- name: ${name}\n  user: { token: ${name}-${marker} }`),
  ].join('\n');
}

test('the current context gives server, namespace and token', async (t) => {
  const connection = await open(t, contexts(['a', 'b'], 'b', 'one'));
  assert.equal(connection.server, 'https://b.one');
  assert.equal(connection.namespace, 'one');
  assert.equal(await connection.authorization(), 'Bearer b-one');
});

test('a context can be chosen', async (t) => {
  const kubeconfig = await write(await folder(t), 'config', contexts(['a', 'b'], 'b', 'one'));
  const connection = await openConnection({ kubeconfig, context: 'a', environment: {} });
  t.after(() => connection.close());
  assert.equal(connection.server, 'https://a.one');
});

test('KUBECONFIG may list several files: the first that has an entry wins, missing files are left out', async (t) => {
  const path = await folder(t);
  const files = [
    join(path, 'missing'),
    await write(path, 'one', contexts(['a'], undefined, 'one')),
    await write(path, 'empty', ''),
    await write(path, 'two', contexts(['a', 'b'], 'b', 'two')),
    await write(path, 'three', contexts(['c'], 'c', 'three')),
  ];
  const environment = { KUBECONFIG: ['', ...files].join(delimiter) };
  for (const [context, expected] of [
    [undefined, 'https://b.two'],
    ['a', 'https://a.one'],
    ['c', 'https://c.three'],
  ] as const) {
    const connection = await openConnection({ ...(context && { context }), environment });
    assert.equal(connection.server, expected);
    await connection.close();
  }
});

test('the option goes before KUBECONFIG, and that before ~/.kube/config', async (t) => {
  const HOME = await folder(t);
  await mkdir(join(HOME, '.kube'));
  await write(join(HOME, '.kube'), 'config', contexts(['home'], 'home', 'x'));
  const KUBECONFIG = await write(HOME, 'listed', contexts(['listed'], 'listed', 'x'));
  const kubeconfig = await write(HOME, 'given', contexts(['given'], 'given', 'x'));
  for (const [options, expected] of [
    [{ kubeconfig, environment: { HOME, KUBECONFIG } }, 'https://given.x'],
    [{ environment: { HOME, KUBECONFIG } }, 'https://listed.x'],
    [{ environment: { HOME } }, 'https://home.x'],
  ] as const) {
    const connection = await openConnection(options);
    assert.equal(connection.server, expected);
    await connection.close();
  }
});

test('token, tokenFile, and user with password become the header', async (t) => {
  assert.equal(await authorizationOf(t, { token: ' abc\n' }), 'Bearer abc');
  assert.equal(await authorizationOf(t, { username: 'ü', password: 'p:w' }), `Basic ${base64('ü:p:w')}`);
  assert.equal(await authorizationOf(t, {}), undefined);
  const tokenFile = await write(await folder(t), 'token', 'from-file\n');
  assert.equal(await authorizationOf(t, { tokenFile, token: 'older' }), 'Bearer from-file');
});

test('paths are relative to the file that names them', async (t) => {
  const path = await folder(t);
  await mkdir(join(path, 'secrets'));
  await write(join(path, 'secrets'), 'token', 'relative');
  const user = { tokenFile: 'secrets/token' };
  const kubeconfig = await write(path, 'config', kubeconfigOf({ server }, user));
  const connection = await openConnection({ kubeconfig, environment: {} });
  t.after(() => connection.close());
  assert.equal(await connection.authorization(), 'Bearer relative');
});

test('a context without a user, and one without a namespace, are fine', async (t) => {
  const connection = await open(
    t,
    `{current-context: a, contexts: [{name: a, context: {cluster: b}}], clusters: [{name: b, cluster: {server: "${server}"}}]}`,
  );
  assert.equal(connection.namespace, 'default');
  assert.equal(await connection.authorization(), undefined);
});

test('a token file is read again after a minute, and not sooner', async (t) => {
  let now = Date.now();
  const path = await folder(t);
  const tokenFile = await write(path, 'token', 'first');
  const connection = await open(t, kubeconfigOf({ server }, { tokenFile }), { now: () => now });
  await write(path, 'token', 'second');
  now += 59_000;
  assert.equal(await connection.authorization(), 'Bearer first');
  now += 2_000;
  assert.equal(await connection.authorization(), 'Bearer second');
});

test('a token file that is gone for a moment leaves the last token in use', async (t) => {
  let now = Date.now();
  const path = await folder(t);
  const tokenFile = await write(path, 'token', 'first');
  const connection = await open(t, kubeconfigOf({ server }, { tokenFile }), { now: () => now });
  await write(path, 'token', '');
  now += 61_000;
  assert.equal(await connection.authorization(), 'Bearer first');
  await write(path, 'token', 'second');
  now += 6_000;
  assert.equal(await connection.authorization(), 'Bearer second');
});

const secret = 'hunter2hunter2';
const expired = new Date('2021-01-01T00:00:00Z');
const cluster = (fields: object) => kubeconfigOf({ server, ...fields });
const user = (fields: object) => kubeconfigOf({ server }, fields);
const mistakes: Record<string, readonly [kubeconfig: string, message: RegExp]> = {
  'broken YAML': [
    `users: [${secret}`,
    /line \d+, column \d+: is not valid YAML \([A-Z_]+\); correct the file$/,
  ],
  'another kind of file': [`- ${secret}`, /: must be an object with clusters, users and contexts$/],
  'a token that is a number': [user({ token: 12_345 }), /users\.0\.user\.token must be a string$/],
  'an entry without a name': ['{clusters: [{cluster: {server: x}}]}', /clusters\.0\.name is missing$/],
  'no current context': [
    contexts(['a', 'b'], undefined, 'x'),
    /current-context is not set; give --context \(there are: a, b\)$/,
  ],
  'an unknown context': [contexts(['a', 'b'], 'c', 'x'), /there is no context "c" \(there are: a, b\)$/],
  'an unknown cluster': [
    '{current-context: a, contexts: [{name: a, context: {cluster: b}}]}',
    /the context names the cluster "b", which no kubeconfig has$/,
  ],
  'an unknown user': [
    '{current-context: a, contexts: [{name: a, context: {cluster: b, user: c}}], clusters: [{name: b, cluster: {}}]}',
    /the context names the user "c", which no kubeconfig has$/,
  ],
  'an empty kubeconfig': ['', /current-context is not set; give --context \(there are: none\)$/],
  'no server': [
    cluster({ server: null }),
    /cluster "here": server: is missing; it must be the API server's address/,
  ],
  'a server without a scheme': [
    cluster({ server: '127.0.0.1:6443' }),
    /server: must be a URL that begins with https:\/\/ or http:\/\/$/,
  ],
  'a proxy of another kind': [
    cluster({ 'proxy-url': `ftp://u:${secret}@p` }),
    /proxy-url: must be the URL of an HTTP proxy/,
  ],
  'a CA that is not base64': [
    cluster({ 'certificate-authority-data': '###' }),
    /certificate-authority-data: is not base64/,
  ],
  'a CA that is not PEM': [
    cluster({ 'certificate-authority-data': base64('x') }),
    /certificate-authority-data: holds no certificate in PEM/,
  ],
  'a CA that is damaged': [
    cluster({ 'certificate-authority-data': base64(ca.cert.replace(/\n.{40}/, '\nAAAA')) }),
    /certificate-authority-data: certificate 1 in it is broken$/,
  ],
  'a CA that has expired': [
    cluster({ 'certificate-authority-data': base64(createAuthority('old', expired).cert) }),
    /certificate-authority-data: the CA certificate has expired on Jan +1 00:00:00 2021 GMT; get the new one$/,
  ],
  'a CA file that is missing': [
    cluster({ 'certificate-authority': '/nowhere/ca.crt' }),
    /cluster "here": certificate-authority: the file \/nowhere\/ca.crt does not exist; correct the path or the file$/,
  ],
  'a CA beside insecure-skip-tls-verify': [
    cluster({ 'insecure-skip-tls-verify': true, 'certificate-authority-data': base64(ca.cert) }),
    /insecure-skip-tls-verify: is set together with certificate-authority; remove one of the two$/,
  ],
  'a token with a line break': [
    user({ token: `${secret}\n${secret}` }),
    /user "somebody": token: holds characters that no token has/,
  ],
  'a token file that is a folder': [user({ tokenFile: '/' }), /tokenFile: the file \/ is a folder/],
  'a client certificate without a key': [
    user({ 'client-certificate-data': base64(client.cert) }),
    /user "somebody": client-key: is missing, though client-certificate is set$/,
  ],
  'a client certificate that has expired': [
    user({
      'client-certificate-data': base64(ca.issue('old', [], expired).cert),
      'client-key-data': base64(client.key),
    }),
    /client-certificate-data: the client certificate has expired on Jan +1 00:00:00 2021 GMT; get a new one$/,
  ],
  'a key of another certificate': [
    user({ 'client-certificate-data': base64(client.cert), 'client-key-data': base64(ca.issue('x').key) }),
    /client-key-data: is not the key of the client certificate/,
  ],
  'a key that is none': [
    user({ 'client-certificate-data': base64(client.cert), 'client-key-data': base64(secret) }),
    /client-key-data: is not a private key in PEM$/,
  ],
  'the old auth-provider': [
    user({ 'auth-provider': { name: 'gcp' } }),
    /auth-provider: "gcp" is the old way.*use an exec plugin instead$/,
  ],
  'acting as another': [user({ as: 'admin', token: secret }), /as: acting as another user is not supported/],
  'an exec plugin of an old version': [
    user({ exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } }),
    /users\.0\.user\.exec\.apiVersion must be client\.authentication\.k8s\.io\/v1 or …\/v1beta1$/,
  ],
};

for (const [name, [kubeconfig, message]] of Object.entries(mistakes)) {
  test(`${name}: one line with file, field and problem, and no secret`, async (t) => {
    const file = await write(await folder(t), 'config', kubeconfig);
    await assert.rejects(openConnection({ kubeconfig: file, environment: {} }), (error) => {
      assert.ok(error instanceof ChainsError);
      assert.equal(error.code, 'CONNECTION_INVALID');
      assert.ok(error.message.startsWith(`${file}: `), error.message);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, new RegExp(`${secret}|\n`));
      return true;
    });
  });
}

test('a kubeconfig that is not there is named', async () => {
  const given = openConnection({ kubeconfig: '/nowhere/config', environment: {} });
  await assert.rejects(given, {
    message: '--kubeconfig: the file /nowhere/config does not exist; correct the path or the file',
  });
  const listed = openConnection({ environment: { KUBECONFIG: `/nowhere/a${delimiter}/nowhere/b` } });
  await assert.rejects(listed, {
    message: 'KUBECONFIG: the file /nowhere/a, /nowhere/b does not exist; correct or unset it',
  });
});
