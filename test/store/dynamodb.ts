import {
  type AttributeValue,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { dynamodbError, openAwsGate } from '../doubles/aws-gate.ts';
import { type DatabaseUnderTest, type StoredDocument, storeOnce } from './docdb.suite.ts';
import { withEnvironment } from '../sign/kms/environment.ts';

const key = { accessKeyId: 'ACCESS', secretAccessKey: 'secret' };

/** What AWS's SDK finds in the environment. */
const credentials = { AWS_ACCESS_KEY_ID: 'ACCESS', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' };

/** The largest item in bytes. */
export const dynamodbLimit = 400 * 1024;

/** A table with this partition key in the DynamoDB on this port, behind a gate that checks signatures. */
export async function useDynamodb(
  port: number,
  partitionKey: string,
  stop: () => Promise<void>,
): Promise<DatabaseUnderTest> {
  const url = `dynamodb://chains?partition_key=${partitionKey}`;
  const gate = await openAwsGate(port, key);
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-west-1',
    credentials: key,
  });
  await client.send(
    new CreateTableCommand({
      TableName: 'chains',
      AttributeDefinitions: [{ AttributeName: partitionKey, AttributeType: 'S' }],
      KeySchema: [{ AttributeName: partitionKey, KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  Object.assign(process.env, credentials, {
    AWS_ENDPOINT_URL_DYNAMODB: gate.url,
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  const settings = { 'storage.docdb.url': url };
  const refusedWith = (variables: Readonly<Record<string, string | undefined>>) => (entry: SignedArtifact) =>
    withEnvironment(variables, () => storeOnce(settings, entry));
  return {
    settings,
    async read(id) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: 'chains', Key: { [partitionKey]: { S: id } } }),
      );
      return Item && documentOf(Item, partitionKey);
    },
    count: async () =>
      (await client.send(new ScanCommand({ TableName: 'chains', Select: 'COUNT' }))).Count ?? 0,
    hang: (on) => {
      gate.trouble = { happens: 'hangs', times: on ? 100 : 0 };
    },
    throttle: (times) => {
      const happens = dynamodbError('ProvisionedThroughputExceededException', 'The level is exceeded.');
      gate.trouble = { happens, times };
    },
    refused: {
      'a key that nobody knows': refusedWith({ AWS_ACCESS_KEY_ID: 'OTHER' }),
      'a wrong secret': refusedWith({ AWS_SECRET_ACCESS_KEY: 'other' }),
      'no key at all': refusedWith({ AWS_ACCESS_KEY_ID: undefined, HOME: '/nowhere' }),
      'a table that is not there': (entry) =>
        storeOnce({ 'storage.docdb.url': url.replace('chains', 'nowhere') }, entry),
    },
    async close() {
      client.destroy();
      await gate.close();
      await stop();
    },
  };
}

function documentOf(item: Record<string, AttributeValue>, partitionKey: string): StoredDocument {
  const fields = Object.fromEntries(Object.entries(item).map(([field, value]) => [field, plain(value)]));
  const { [partitionKey]: id, Cert, Chain } = fields;
  return { ...fields, id, Cert: Cert ?? '', Chain: Chain ?? '' } as unknown as StoredDocument;
}

/** As go-cloud writes and reads them: an empty text is NULL. */
function plain({ S, N, B, BOOL, L, M }: AttributeValue): unknown {
  if (S === '') throw new Error('there is an empty text that is not NULL');
  if (N !== undefined) return Number(N);
  if (L !== undefined) return L.map(plain);
  if (M !== undefined) {
    return Object.fromEntries(Object.entries(M).map(([name, value]) => [name, plain(value)]));
  }
  return S ?? B ?? BOOL ?? null;
}
