import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { request } from 'undici';
import { at, type JsonObject } from '../../src/json.ts';
import { decodeObject } from '../../sandbox/protobuf.ts';
import { startSandbox } from '../../sandbox/index.ts';

// What kubectl sends and asks for, for those who have no kubectl at hand; `npm run test:servers` has the real one.

/** A field of a protobuf message: its number and its content. */
function field(number: number, ...content: readonly (string | Buffer)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)));
  const size =
    bytes.length < 128 ? [bytes.length] : [(bytes.length % 128) + 128, Math.floor(bytes.length / 128)];
  return Buffer.concat([Buffer.from([number * 8 + 2, ...size]), bytes]);
}

function protobuf(kind: string, ...fields: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('k8s\0'), field(1, field(1, 'v1'), field(2, kind)), field(2, ...fields)]);
}

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

async function open(t: TestContext) {
  const sandbox = await startSandbox({ life: false });
  t.after(() => sandbox.close());
  const headers = { authorization: `Bearer ${sandbox.token}` };
  return { sandbox, headers };
}

test('a Secret in protobuf is created, as kubectl create secret sends it', async (t) => {
  const { sandbox, headers } = await open(t);
  const body = protobuf(
    'Secret',
    field(1, field(1, 'keys'), field(11, field(1, 'colour'), field(2, 'blue'))),
    field(2, field(1, 'long'), field(2, 'x'.repeat(200))),
    field(2, field(1, 'short'), field(2, 'y')),
    field(3, ''),
  );
  const response = await request(`${sandbox.url}/api/v1/namespaces/default/secrets`, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/vnd.kubernetes.protobuf',
      accept: `application/vnd.kubernetes.protobuf,application/json`,
    },
    body,
  });
  assert.equal(response.statusCode, 201);
  await response.body.dump();
  const secret = sandbox.objects.get('Secret', 'default', 'keys');
  const long = Buffer.from('x'.repeat(200)).toString('base64');
  assert.deepEqual(secret?.['data'], { long, short: 'eQ==' });
  assert.deepEqual([secret['type'], at(secret, 'metadata', 'labels')], ['Opaque', { colour: 'blue' }]);
});

test('protobuf reads flags, finalizers and keys that objects inherit, and refuses what it does not know', () => {
  const flag = Buffer.from([4 * 8, 1]);
  const map = protobuf(
    'ConfigMap',
    field(1, field(14, 'a/b'), field(14, 'c/d')),
    field(2, field(1, '__proto__'), field(2, 'x')),
    flag,
  );
  const read = decodeObject(map);
  assert.deepEqual([at(read, 'metadata', 'finalizers'), read['immutable']], [['a/b', 'c/d'], true]);
  assert.deepEqual(Object.entries(at(read, 'data') ?? {}), [['__proto__', 'x']]);
  assert.throws(() => decodeObject(protobuf('Pod')), RangeError);
  assert.throws(() => decodeObject(protobuf('constructor')), RangeError);
  assert.throws(() => decodeObject(Buffer.from('{}')), RangeError);
});

test('a watch as a table describes the columns once, and gives a row an event', async (t) => {
  const { sandbox, headers } = await open(t);
  const put = (name: string) =>
    sandbox.objects.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default' },
      data: { a: 'b' },
    });
  put('one');
  put('two');
  const { body } = await request(
    `${sandbox.url}/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=1`,
    {
      headers: { ...headers, accept: table },
    },
  );
  const events: JsonObject[] = (await body.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const rows = events.map((event) => at(event, 'object', 'rows'));
  assert.deepEqual(
    rows.map((row) => (Array.isArray(row) ? at(row[0], 'cells') : undefined)),
    [
      ['one', 1, '0s'],
      ['two', 1, '0s'],
    ],
  );
  assert.deepEqual(
    events.map((event) => Array.isArray(at(event, 'object', 'columnDefinitions'))),
    [true, false],
  );
});

test('a table shows ages as people say them', async (t) => {
  const { sandbox, headers } = await open(t);
  const ages = { s: 90, m: 5 * 60 + 7, h: 5 * 3600 + 60 * 3, d: 3 * 86400 + 3600 * 2, old: 400 * 86400 };
  for (const [name, seconds] of Object.entries(ages)) {
    const creationTimestamp = new Date(Date.now() - seconds * 1000).toISOString();
    sandbox.objects.put({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: 'default', creationTimestamp },
    });
  }
  const { body } = await request(`${sandbox.url}/api/v1/namespaces/default/serviceaccounts`, {
    headers: { ...headers, accept: table },
  });
  const rows = at(await body.json(), 'rows');
  const shown = (Array.isArray(rows) ? rows : []).map((row) => String(at(row, 'cells')));
  const patterns = [/^d,3d2h$/, /^h,5h3m$/, /^m,5m[78]s$/, /^old,400d$/, /^s,9\ds$/];
  patterns.forEach((pattern, index) => assert.match(shown[index] ?? '', pattern));
});
