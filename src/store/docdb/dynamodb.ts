import {
  type AttributeValue,
  DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { oneLine } from '../../text.ts';
import { ChainsError, reasonOf } from '../../errors.ts';
import { isJsonList, type Json } from '../../json.ts';
import { callLibrary, tooLarge, unanswered } from '../failures.ts';
import { mapMembers, type OpenCollection, optionsOf, type SignedDocument } from './collection.ts';

/** The largest item in bytes. */
const limit = 400 * 1024;

type Attributes = Record<string, AttributeValue>;

/**
 * Opens a table of DynamoDB with the SDK's default credential chain; `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL`
 * name an emulator to use instead. The partition key, and the sort key where there is one, hold the id, unless the
 * document has a field of that very name.
 */
export const openDynamodb: OpenCollection = (reference, _, timeout) => {
  const allowed = [
    'sort_key',
    'allow_scans',
    'consistent_read',
    'revision_field',
    'region',
    'endpoint',
    'profile',
    'awssdk',
  ];
  const options = optionsOf(reference, 'partition_key', allowed);
  const [region, endpoint, profile] = ['region', 'endpoint', 'profile'].map((name) => options.get(name));
  const client = new DynamoDBClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
  });
  const keys = ['partition_key', 'sort_key'].flatMap((name) => options.get(name) ?? []);
  const keyOf = (id: string): Attributes => Object.fromEntries(keys.map((key) => [key, { S: id }]));
  const TableName = reference.path;

  function call<T>(
    what: string,
    signal: AbortSignal | undefined,
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const fail = (error: unknown) => failure(what, error);
    return callLibrary({ timeout, what, signal }, (abortSignal) => send({ abortSignal }), fail);
  }

  return {
    async put(document, signal) {
      const what = `write ${reference.scheme}://${reference.path}/${document.Name}`;
      const item = { ...keyOf(document.Name), ...attributesOf(document) };
      const size = attributesSize(item);
      if (size > limit) throw tooLarge(what, size, limit);
      const command = new PutItemCommand({ TableName, Item: item });
      await call(what, signal, (options) => client.send(command, options));
    },
    async get(name, signal) {
      const what = `read ${reference.scheme}://${reference.path}/${name}`;
      const command = new GetItemCommand({ TableName, Key: keyOf(name), ConsistentRead: true });
      const { Item } = await call(what, signal, (options) => client.send(command, options));
      return (
        Item && {
          Signed: Item['Signed']?.B,
          Signature: Item['Signature']?.S,
          Cert: Item['Cert']?.S,
          Bundle: Item['Bundle']?.S,
        }
      );
    },
    async close() {
      client.destroy();
    },
  };
};

function attributesOf({ Signed, ...others }: SignedDocument): Attributes {
  return { ...mapMembers(others, valueOf), Signed: { B: Signed } };
}

/** A value as go-cloud writes it: an empty text is NULL. */
function valueOf(json: Json): AttributeValue {
  if (json === null || json === '') return { NULL: true };
  if (typeof json === 'boolean') return { BOOL: json };
  if (typeof json === 'number') return { N: `${json}` };
  if (typeof json === 'string') return { S: json };
  if (isJsonList(json)) return { L: json.map(valueOf) };
  return { M: mapMembers(json, valueOf) };
}

/** The size of an item in bytes, as the page "DynamoDB item sizes and formats" of AWS's documentation adds it up. */
function attributesSize(attributes: Attributes): number {
  return Object.entries(attributes).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value),
    0,
  );
}

function valueSize({ S, N, B, L, M }: AttributeValue): number {
  if (S !== undefined) return Buffer.byteLength(S);
  if (B !== undefined) return B.length;
  // A byte for two digits, one more, and one where the digits are odd or there is a sign.
  if (N !== undefined) return Math.ceil(N.replace(/\D/g, '').length / 2) + 2;
  if (L !== undefined) return L.reduce((sum, value) => sum + valueSize(value) + 1, 3);
  if (M !== undefined) return attributesSize(M) + Object.keys(M).length + 3;
  return 1;
}

/** Failures that the service calls the client's fault, and after which trying again helps. */
const throttled: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TransactionConflictException',
  'ReplicatedWriteConflictException',
]);

function failure(what: string, error: unknown): ChainsError {
  const message = oneLine(`${what}: ${error instanceof Error ? `${error.name}: ` : ''}${reasonOf(error)}`);
  if (error instanceof DynamoDBServiceException) {
    if (/Item size has exceeded/i.test(error.message)) return tooLarge(what, undefined, limit);
    const passes = error.$fault === 'server' || throttled.has(error.name);
    const status = error.$metadata.httpStatusCode;
    return new ChainsError(passes ? 'STORE_UNAVAILABLE' : 'STORE_REFUSED', message, {
      ...(status === undefined ? {} : { status }),
    });
  }
  if (!/CredentialsProviderError|Region is missing/.test(message)) return unanswered(what, error);
  return new ChainsError('STORE_REFUSED', message, {
    hint: "Give the pod's service account a role (IRSA or Pod Identity), or set AWS_REGION and AWS credentials.",
  });
}
