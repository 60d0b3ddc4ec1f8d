import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { parseConfig } from '../../src/config/parse.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { openDocdbStore } from '../../src/store/docdb/index.ts';
import { secretsWith } from '../sign/keys.ts';
import { storeOnce } from './docdb.suite.ts';
import { signedEntry } from './named-entries.ts';
import { withEnvironment } from '../sign/kms/environment.ts';

const firestore = 'firestore://projects/p/databases/d/documents/c';

for (const [url, message] of [
  [undefined, /storage\.docdb\.url is not set/],
  [firestore, /`firestore:\/\/` needs the option `name_field`, such as `\?name_field=name`/],
  [`${firestore}?name_field=`, /needs the option `name_field`/],
  [`${firestore}?name_field=name&index=1`, /has no option `index`; it has `name_field`, `revision_field`/],
  ['dynamodb://chains', /`dynamodb:\/\/` needs the option `partition_key`/],
  [
    'dynamodb://chains?partition_key=name&sortkey=n',
    /no option `sortkey`; it has `partition_key`, `sort_key`/,
  ],
  ['mongo://ci/chains?idfield=name', /no option `idfield`; it has `id_field`, `revision_field`/],
] as const) {
  test(`storage.docdb.url ${url ?? 'left out'} is CONFIG_INVALID`, async () => {
    const { config } = parseConfig(url === undefined ? {} : { 'storage.docdb.url': url });
    await assert.rejects(openDocdbStore(config), { code: 'CONFIG_INVALID', message });
  });
}

test("every option of go-cloud's docstore is taken", async () => {
  for (const url of [
    `${firestore}?name_field=name&revision_field=r`,
    'mongo://ci/chains',
    'mongo://ci/chains?id_field=name&revision_field=r',
    'dynamodb://chains?partition_key=name&sort_key=s&allow_scans=true&consistent_read=true&revision_field=r&region=eu-west-1&endpoint=http://127.0.0.1:1&profile=p&awssdk=v2',
  ]) {
    const store = await openDocdbStore(parseConfig({ 'storage.docdb.url': url }).config);
    await store.close?.();
  }
});

test('dynamodb: sort_key, region and endpoint of the URL count, and the key may be the field Name itself', async (context) => {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials });
  context.after(() => client.destroy());
  await client.send(
    new CreateTableCommand({
      TableName: 'sorted',
      AttributeDefinitions: ['Name', 'part'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'Name', KeyType: 'HASH' },
        { AttributeName: 'part', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  const url = `dynamodb://sorted?partition_key=Name&sort_key=part&region=eu-west-1&endpoint=${endpoint}`;
  await withEnvironment({ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }, async () =>
    storeOnce({ 'storage.docdb.url': url }, await signedEntry('taskrun', 'tekton', { name: 'sorted' })),
  );
  const id = { S: 'taskrun-uid-sorted' };
  const { Item } = await client.send(
    new GetItemCommand({ TableName: 'sorted', Key: { Name: id, part: id } }),
  );
  assert.deepEqual(Object.keys(Item ?? {}).toSorted(), [
    'Cert',
    'Chain',
    'Name',
    'Object',
    'Signature',
    'Signed',
    'part',
  ]);
});

test('dynamodb: without a region the store is STORE_REFUSED and says what to set', async () => {
  const entry = await signedEntry('taskrun', 'tekton', { name: 'nowhere' });
  const nothing = { AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined, AWS_CONFIG_FILE: '/nowhere' };
  await withEnvironment({ ...nothing, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }, () =>
    assert.rejects(storeOnce({ 'storage.docdb.url': 'dynamodb://chains?partition_key=name' }, entry), {
      code: 'STORE_REFUSED',
      message: /Region is missing/,
      hint: /AWS_REGION/,
    }),
  );
});

test("a store that can't be opened shows in the state of back ends, under its key", async () => {
  const { config } = parseConfig({ 'artifacts.taskrun.storage': 'docdb,gcs' });
  const pipeline = openPipeline({ config, secrets: secretsWith({}) });
  const states = await pipeline.check(['taskrun']);
  for (const name of ['docdb', 'gcs']) {
    const state = states.find(({ key, backend }) => key === 'artifacts.taskrun.storage' && backend === name);
    assert.equal(state?.error?.code, 'CONFIG_INVALID');
  }
  await pipeline.close();
});
