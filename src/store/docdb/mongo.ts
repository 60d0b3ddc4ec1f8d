import { isDeepStrictEqual } from 'node:util';
import {
  Binary,
  BSON,
  type Collection as MongoCollection,
  type Document,
  Double,
  MongoClient,
} from 'mongodb';
import { isJsonList, type Json } from '../../json.ts';
import { tooLarge, unusable } from '../failures.ts';
import { type Collection, type CollectionOptions, optionsOf } from './collection.ts';
import { type SignedDocument, withPlainNames } from './document.ts';
import { failure, mayRefuseNames, reasonWithout } from './mongo-failures.ts';
import { readServerUrl, type ServerUrl } from './server-url.ts';

/** The largest document in bytes, as BSON. */
const limit = 16 * 1024 * 1024;

type Documents = MongoCollection<Document & { _id: string }>;

/** A client, and what is at work with it. */
interface Connected {
  readonly url: string;
  readonly client: MongoClient;
  readonly work: Set<Promise<unknown>>;
  /** Whether the server has refused a document for its field names, and takes it without dots and dollar signs. */
  refusesNames: boolean;
}

/**
 * Opens a collection of MongoDB. The server's URL is read before every call; after a change there is a new client, and
 * the old one is closed when its work is done. `id_field` says only in which field go-cloud shows the document's `_id`.
 */
export function openMongo({ reference, config, timeout }: CollectionOptions): Collection {
  optionsOf(reference, undefined, ['id_field', 'revision_field']);
  const [database = '', collection = ''] = reference.path.split('/');
  let current: Connected | undefined;
  let retired: Promise<unknown> = Promise.resolve();

  async function connected(): Promise<Connected> {
    const server = await readServerUrl(config);
    if (current?.url === server.url) return current;
    const previous = current;
    current = { url: server.url, client: clientFor(server, timeout), work: new Set(), refusesNames: false };
    if (previous !== undefined) retired = Promise.all([retired, retire(previous)]);
    return current;
  }

  async function call<T>(
    what: string,
    signal: AbortSignal | undefined,
    ask: (documents: Documents, connection: Connected) => Promise<T>,
  ): Promise<T> {
    const connection = await connected();
    const { client, work, url } = connection;
    signal?.throwIfAborted();
    const asking = ask(client.db(database).collection(collection), connection);
    const settled: Promise<unknown> = Promise.allSettled([asking]).then(() => work.delete(settled));
    work.add(settled);
    try {
      return await within(asking, timeout, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw failure(what, error, url, limit);
    }
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
      const { Signed: signed, Signature: signature, Cert: cert, Bundle: bundle } = found;
      return {
        Signed: signed instanceof Binary ? signed.value() : undefined,
        Signature: typeof signature === 'string' ? signature : undefined,
        Cert: typeof cert === 'string' ? cert : undefined,
        Bundle: typeof bundle === 'string' ? bundle : undefined,
      };
    },
    async close() {
      await Promise.all([retired, current && retire(current)]);
    },
  };
}

function clientFor({ url, from }: ServerUrl, timeout: number): MongoClient {
  try {
    return new MongoClient(url, {
      appName: 'tekton-chains',
      maxPoolSize: 16,
      socketTimeoutMS: timeout,
      waitQueueTimeoutMS: timeout,
      serverSelectionTimeoutMS: Math.min(timeout, 10_000),
      connectTimeoutMS: Math.min(timeout, 10_000),
    });
  } catch (error) {
    throw unusable(`${from} is not a URL of a MongoDB server: ${reasonWithout(url, error)}`);
  }
}

async function retire({ client, work }: Connected): Promise<void> {
  await Promise.allSettled(work);
  // What the server answers to this doesn't matter.
  await client.close().catch(() => undefined);
}

/** Waits no longer than this many milliseconds, and no longer than the signal allows: the driver's own limits add up. */
async function within<T>(work: Promise<T>, timeout: number, signal: AbortSignal | undefined): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeout} ms`)), timeout);
  const stop = (): void => reject(new Error('aborted'));
  signal?.addEventListener('abort', stop);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

function bsonOf({ Signed, Object: object, ...texts }: SignedDocument): Document {
  return { _id: texts.Name, ...texts, Signed: Buffer.from(Signed), Object: valueOf(object) };
}

/** A value as go-cloud writes it: numbers are all doubles. */
function valueOf(json: Json): unknown {
  if (typeof json === 'number') return new Double(json);
  if (typeof json !== 'object' || json === null) return json;
  if (isJsonList(json)) return json.map(valueOf);
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, valueOf(value ?? null)]));
}
