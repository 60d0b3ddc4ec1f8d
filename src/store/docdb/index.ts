import type { Config } from '../../config/keys.ts';
import { storageKeyOf } from '../../model/artifact.ts';
import { defaultTimeout, required } from '../failures.ts';
import type { OpenReader, OpenStore } from '../store.ts';
import {
  type Collection,
  type CollectionReference,
  documentOf,
  type OpenCollection,
  placeOf,
} from './collection.ts';

/** Every kind of database, by the scheme of its URL. */
const databases: { readonly [S in CollectionReference['scheme']]: () => Promise<OpenCollection> } = {
  firestore: async () => (await import('./firestore.ts')).openFirestore,
  mongo: async () => (await import('./mongo.ts')).openMongo,
  dynamodb: async () => (await import('./dynamodb.ts')).openDynamodb,
};

/** Opens the store `docdb`: a document per artifact in the collection `storage.docdb.url`. */
export const openDocdbStore: OpenStore = async (config, { timeout } = {}) => {
  const { name, collection } = await openCollection(config, timeout);
  return {
    async store(entry, signal) {
      await collection.put(documentOf(entry), signal);
      return {};
    },
    places: ({ artifact }) => [`document ${storageKeyOf(artifact)} in ${name}`],
    close: () => collection.close(),
  };
};

/** Reads the store `docdb`: an artifact's document by its id. */
export const openDocdbReader: OpenReader = async (config) => {
  const { name, collection } = await openCollection(config);
  return {
    read: async ({ key }, signal) => [placeOf(`${name}/${key}`, await collection.get(key, signal))],
    close: () => collection.close(),
  };
};

async function openCollection(
  config: Config,
  timeout = defaultTimeout,
): Promise<{ readonly name: string; readonly collection: Collection }> {
  const reference = required(config, 'docdb', 'storage.docdb.url');
  const open = await databases[reference.scheme]();
  return {
    name: `${reference.scheme}://${reference.path}`,
    collection: open(reference, config, timeout),
  };
}
