import type { Config } from '../../config/keys.ts';
import { storageKeyOf } from '../../model/artifact.ts';
import { ChainsError } from '../../errors.ts';
import type { Store } from '../store.ts';
import type { Collection, CollectionReference, OpenCollection } from './collection.ts';
import { documentOf } from './document.ts';

/** Every kind of database, by the scheme of its URL. */
const databases: { readonly [S in CollectionReference['scheme']]: () => Promise<OpenCollection> } = {
  firestore: async () => (await import('./firestore.ts')).openFirestore,
  mongo: async () => (await import('./mongo.ts')).openMongo,
  dynamodb: async () => (await import('./dynamodb.ts')).openDynamodb,
};

/** Opens the store `docdb`: a document per artifact in the collection `storage.docdb.url`. @throws ChainsError CONFIG_INVALID */
export function openDocdbStore(config: Config): Promise<Store> {
  return openDocdb(config);
}

/** Opens the store. @param timeout how long to wait for an answer, in milliseconds */
export async function openDocdb(config: Config, timeout?: number): Promise<Store> {
  const { reference, collection } = await openCollection(config, timeout);
  return {
    async store(entry, signal) {
      await collection.put(documentOf(entry), signal);
      return {};
    },
    places: ({ artifact }) => [
      `document ${storageKeyOf(artifact)} in ${reference.scheme}://${reference.path}`,
    ],
    close: () => collection.close(),
  };
}

/** Opens the collection `storage.docdb.url`. @throws ChainsError CONFIG_INVALID */
export async function openCollection(
  config: Config,
  timeout = 30_000,
): Promise<{ readonly reference: CollectionReference; readonly collection: Collection }> {
  const reference = config['storage.docdb.url'];
  if (reference === undefined) {
    throw new ChainsError(
      'CONFIG_INVALID',
      'storage.docdb.url is not set: name the collection of the store `docdb`',
    );
  }
  const open = await databases[reference.scheme]();
  return { reference, collection: open({ reference, config, timeout }) };
}
