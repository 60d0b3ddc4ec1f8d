import { isDeepStrictEqual } from 'node:util';
import {
  Binary,
  BSON,
  type Collection as MongoCollection,
  type Document,
  Double,
  type MongoClient,
} from 'mongodb';
import { isJsonList, type Json } from '../../json.ts';
import { callLibrary, tooLarge } from '../failures.ts';
import { mapMembers, type OpenCollection, optionsOf, type SignedDocument } from './collection.ts';
import { failure, mayRefuseNames, openClient, readServerUrl } from './mongo-server.ts';

/** The largest document in bytes, as BSON. */
const limit = 16 * 1024 * 1024;

type Documents = MongoCollection<Document & { _id: string }>;

/** A client, and the calls that it is making. */
interface Connected {
  readonly url: string;
  readonly client: MongoClient;
  readonly calls: Set<Promise<unknown>>;
  /** Whether the server has refused a document for its field names, and took it without dots and dollar signs. */
  refusesNames: boolean;
}

/**
 * Opens a collection of MongoDB. The server's URL is read before every call; after a change there is a new client, and
 * the old one is closed when its calls are done. `id_field` tells only go-cloud in which field to show the document's `_id`.
 */
export const openMongo: OpenCollection = (reference, config, timeout) => {
  optionsOf(reference, undefined, ['id_field', 'revision_field']);
  const [database = '', collection = ''] = reference.path.split('/');
  let current: Connected | undefined;
  let retired: Promise<unknown> = Promise.resolve();

  async function connected(): Promise<Connected> {
    const server = await readServerUrl(config);
    if (current?.url === server.url) return current;
    const previous = current;
    current = { url: server.url, client: openClient(server, timeout), calls: new Set(), refusesNames: false };
    if (previous !== undefined) retired = Promise.all([retired, retire(previous)]);
    return current;
  }

  async function call<T>(
    what: string,
    signal: AbortSignal | undefined,
    ask: (documents: Documents, connection: Connected) => Promise<T>,
  ): Promise<T> {
    const connection = await connected();
    const { client, calls, url } = connection;
    const work = () => {
      const asking = ask(client.db(database).collection(collection), connection);
      const settled: Promise<unknown> = Promise.allSettled([asking]).then(() => calls.delete(settled));
      calls.add(settled);
      return asking;
    };
    // The driver has limits of its own for each step, which add up.
    return callLibrary({ timeout, what, signal }, work, (error) => failure(what, error, url, limit));
  }

  return {
    async put(document, signal) {
      const what = `write mongo://${reference.path}/${document.Name}`;
      const replacement = bsonOf(document);
      const size = BSON.calculateObjectSize(replacement);
      if (size > limit) throw tooLarge(what, size, limit);
      await call(what, signal, async (documents, connection) => {
        const write = (written: Document) =>
          documents.replaceOne({ _id: document.Name }, written, { upsert: true });
        if (!connection.refusesNames) {
          try {
            return await write(replacement);
          } catch (error) {
            const isPlain = isDeepStrictEqual(withPlainNames(document), document);
            if (isPlain || !mayRefuseNames(error)) throw error;
          }
        }
        const written = await write(bsonOf(withPlainNames(document)));
        connection.refusesNames = true;
        return written;
      });
    },
    async get(id, signal) {
      const found = await call(`read mongo://${reference.path}/${id}`, signal, (documents) =>
        documents.findOne({ _id: id }, { projection: { Signed: 1, Signature: 1, Cert: 1, Bundle: 1 } }),
      );
      if (found === null) return undefined;
      const signed: unknown = found['Signed'];
      const text = (name: string) => (typeof found[name] === 'string' ? found[name] : undefined);
      return {
        Signed: signed instanceof Binary ? signed.value() : undefined,
        Signature: text('Signature'),
        Cert: text('Cert'),
        Bundle: text('Bundle'),
      };
    },
    async close() {
      await Promise.all([retired, current && retire(current)]);
    },
  };
};

async function retire({ client, calls }: Connected): Promise<void> {
  await Promise.allSettled(calls);
  // What the server answers to this doesn't matter.
  await client.close().catch(() => undefined);
}

function bsonOf({ Signed, Object: object, ...texts }: SignedDocument): Document {
  return { _id: texts.Name, ...texts, Signed: Buffer.from(Signed), Object: valueOf(object) };
}

/** A value as go-cloud writes it: numbers are all doubles. */
function valueOf(json: Json): unknown {
  if (typeof json === 'number') return new Double(json);
  if (typeof json !== 'object' || json === null) return json;
  if (isJsonList(json)) return json.map(valueOf);
  return mapMembers(json, valueOf);
}

/**
 * The document for a server that refuses dots and dollar signs in field names: in `Object` they become the full-width `．`
 * and `＄`, as MongoDB advised as long as it refused them itself. `Signed` stays what was signed.
 */
function withPlainNames(document: SignedDocument): SignedDocument {
  return { ...document, Object: plainNames(document.Object) };
}

function plainNames(json: Json): Json {
  if (typeof json !== 'object' || json === null) return json;
  if (isJsonList(json)) return json.map(plainNames);
  const fields = Object.entries(json).map(
    ([name, value]) => [name.replaceAll('.', '．').replaceAll('$', '＄'), plainNames(value ?? null)] as const,
  );
  return Object.fromEntries(fields);
}
