import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Binary, type Document, Double, Int32, Long } from 'mongodb';
import { parseConfig } from '../../src/config/parse.ts';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { openDocdbStore } from '../../src/store/docdb/index.ts';
import { readServerUrl } from '../../src/store/docdb/mongo-server.ts';
import { type MongoDouble, mongoError, type MongoUser, startMongo } from '../doubles/mongo.ts';
import { startRelay } from '../integration/relay.ts';
import { type DatabaseUnderTest, docdbSuite, type StoredDocument, storeOnce } from './docdb.suite.ts';
import { signedEntry } from './named-entries.ts';
import { withEnvironment } from '../sign/kms/environment.ts';

const url = 'mongo://ci/chains?id_field=name';

/** A double with a user that may write and one that may not. */
async function startDouble() {
  const users = new Map<string, MongoUser>([
    ['writer', { password: 'p@ss/word', mayWrite: true }],
    ['reader', { password: 'p@ss/word', mayWrite: false }],
  ]);
  const double = await startMongo(users);
  const urlFor = (user: string, password = 'p@ss/word', port = double.port) =>
    `mongodb://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/`;
  return { users, double, urlFor };
}

const settingsWith = (server: string) => ({
  'storage.docdb.url': url,
  'storage.docdb.mongo-server-url': server,
});

/** The double as the suite wants it. */
async function startDatabase({
  refusesNames,
}: Pick<MongoDouble, 'refusesNames'>): Promise<DatabaseUnderTest> {
  const { double, urlFor } = await startDouble();
  double.refusesNames = refusesNames;
  const relay = await startRelay(double.port);
  const use = (server: string) => (entry: SignedArtifact) => storeOnce(settingsWith(server), entry);
  return {
    settings: settingsWith(urlFor('writer')),
    detour: settingsWith(urlFor('writer', undefined, relay.port)),
    read: async (id) => {
      const found = double.documents.get(`ci.chains/${id}`);
      return found && documentOf(found);
    },
    count: async () => double.documents.size,
    hang: (on) => on && relay.stall(),
    throttle: (times) => {
      // As Cosmos DB says it.
      double.failure = { answer: mongoError(16500, 'TooManyRequests', 'Request rate is large'), times };
    },
    refused: {
      'a wrong password': use(urlFor('writer', 'other')),
      'a user that nobody knows': use(urlFor('nobody')),
      'a user that may only read': use(urlFor('reader')),
    },
    async close() {
      await relay.close();
      await double.close();
    },
  };
}

docdbSuite({
  name: 'the double of MongoDB',
  limit: 16 * 1024 * 1024,
  start: () => startDatabase({ refusesNames: false }),
});

docdbSuite({
  name: 'the double of a database that takes no dots in field names',
  limit: 16 * 1024 * 1024,
  without: ['dots'],
  start: () => startDatabase({ refusesNames: true }),
});

test('that field names are refused is found out once for a connection, not with every run', async (context) => {
  const { double, urlFor } = await startDouble();
  context.after(double.close);
  double.refusesNames = true;
  const { config } = parseConfig(settingsWith(urlFor('writer')));
  const store = await openDocdbStore(config);
  const entry = await signedEntry('taskrun', 'tekton', { name: 'dotted' });
  const bytes = Buffer.from(JSON.stringify({ 'a.b': 1 }));
  for (let tries = 0; tries < 3; tries++)
    await store.store({ ...entry, payload: { ...entry.payload, bytes } });
  assert.equal(double.refusals, 1);
  await store.close?.();
});

test('a document that is refused for something else says nothing of names', async (context) => {
  const { double, urlFor } = await startDouble();
  context.after(double.close);
  const { config } = parseConfig(settingsWith(urlFor('writer')));
  const store = await openDocdbStore(config);
  const entry = await signedEntry('taskrun', 'tekton', { name: 'invalid' });
  double.failure = { answer: mongoError(2, 'BadValue', 'the weather'), times: 9 };
  await assert.rejects(store.store(entry), { code: 'STORE_REFUSED', message: /the weather/ });
  double.failure = undefined;
  const bytes = Buffer.from(JSON.stringify({ 'a.b': 1 }));
  await store.store({ ...entry, payload: { ...entry.payload, bytes } });
  const [stored] = [...double.documents.values()];
  assert.deepEqual(Object.keys(stored?.['Object'] ?? {}), ['a.b']);
  await store.close?.();
});

function documentOf({ _id: id, ...fields }: Document): StoredDocument {
  return { id, ...(plain(fields) as Omit<StoredDocument, 'id'>) };
}

/** As go-cloud writes and reads them: bytes, and numbers that are all doubles. */
function plain(value: unknown): unknown {
  if (value instanceof Binary) return value.buffer;
  if (value instanceof Double) return value.value;
  if (value instanceof Int32 || value instanceof Long) throw new Error(`${String(value)} is not a double`);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-mongo-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('the file of the path goes before that of the folder, before the value, before the environment', async (context) => {
  const folder = await folderFor(context);
  const path = join(folder, 'file');
  await writeFile(path, 'mongodb://path\n');
  await writeFile(join(folder, 'MONGO_SERVER_URL'), 'mongodb://folder\n');
  const all = {
    'storage.docdb.mongo-server-url-path': path,
    'storage.docdb.mongo-server-url-dir': folder,
    'storage.docdb.mongo-server-url': 'mongodb://value',
  };
  const found: string[] = [];
  await withEnvironment({ MONGO_SERVER_URL: 'mongodb://environment' }, async () => {
    for (const skipped of [0, 1, 2, 3]) {
      const { config } = parseConfig(Object.fromEntries(Object.entries(all).slice(skipped)));
      found.push((await readServerUrl(config)).url);
    }
  });
  assert.deepEqual(found, ['mongodb://path', 'mongodb://folder', 'mongodb://value', 'mongodb://environment']);
  await assert.rejects(readServerUrl(parseConfig({}).config), {
    code: 'CONFIG_INVALID',
    message: /MONGO_SERVER_URL/,
  });
});

test('a changed file is taken for the next write, and the old connections are closed', async (context) => {
  const { users, double, urlFor } = await startDouble();
  context.after(double.close);
  const folder = await folderFor(context);
  const file = join(folder, 'MONGO_SERVER_URL');
  await writeFile(file, urlFor('writer'));
  const { config } = parseConfig({
    'storage.docdb.url': url,
    'storage.docdb.mongo-server-url-dir': folder,
  });
  const store = await openDocdbStore(config, { timeout: 2_000 });
  const entry = await signedEntry('taskrun', 'tekton', { name: 'rotated' });
  await store.store(entry);
  await store.store(entry);
  assert.equal(double.logins.get('writer'), 1);

  users.set('next', { password: 'next', mayWrite: true });
  await writeFile(file, urlFor('next', 'next'));
  await Promise.all([store.store(entry), store.store(entry), store.store(entry)]);
  assert.ok((double.logins.get('next') ?? 0) > 0);
  assert.equal(double.logins.get('writer'), 1);

  await rm(file);
  await assert.rejects(store.store(entry), {
    code: 'STORE_REFUSED',
    message: /mongo-server-url-dir: \S+MONGO_SERVER_URL can't be read \(ENOENT\)/,
  });
  await writeFile(file, urlFor('next', 'next'));
  await store.store(entry);
  await store.close?.();
  // The test ends only when they are.
  while (double.connections() > 0) await pause(10);
});

test('no message holds the URL or its password', async () => {
  const entry = await signedEntry('taskrun', 'tekton', { name: 'secret' });
  const secrets = ['sw0rdfish', 's%77ordfish', 'p@ss/word', 'p%40ss%2Fword'];
  const { double, urlFor } = await startDouble();
  for (const server of [
    `${urlFor('writer')}?unknownOption=p@ss/word`,
    'mongodb://user:sw0rdfish@127.0.0.1:1/?authMechanism=NONE',
    'mongodb://user:sw0rdfish@127.0.0.1:1/?sw0rdfish=1',
    'mongodb://user:s%77ordfish@127.0.0.1:port',
    'mongodb://user:sw0rdfish@127.0.0.1:1',
    urlFor('nobody'),
  ]) {
    await assert.rejects(storeOnce(settingsWith(server), entry, 300), (error: Error & { code: string }) => {
      const told = JSON.stringify([error.message, error.cause, String(error.stack)]);
      for (const secret of secrets) assert.ok(!told.includes(secret), told);
      assert.match(error.code, /^STORE_(REFUSED|UNAVAILABLE)$/);
      return true;
    });
  }
  await double.close();
});

test('a document that only the server finds too large is PAYLOAD_TOO_LARGE too', async (context) => {
  const { double, urlFor } = await startDouble();
  context.after(double.close);
  double.failure = { answer: mongoError(10334, 'BSONObjectTooLarge', 'too large'), times: 1 };
  const entry = await signedEntry('taskrun', 'tekton', { name: 'large' });
  await assert.rejects(storeOnce(settingsWith(urlFor('writer')), entry), { code: 'PAYLOAD_TOO_LARGE' });
});
