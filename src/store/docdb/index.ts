import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../model/errors.ts';
import type { Store } from '../store.ts';
import type { CollectionReference, OpenCollection } from './collection.ts';
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
export async function openDocdb(config: Config, timeout = 30_000): Promise<Store> {
  const reference = config['storage.docdb.url'];
  if (reference === undefined) {
    throw new ChainsError(
      'CONFIG_INVALID',
      'storage.docdb.url is not set: name the collection of the store `docdb`',
    );
  }
  const open = await databases[reference.scheme]();
  const collection = open({ reference, config, timeout });
  return {
    async store(entry, signal) {
      await collection.put(documentOf(entry), signal);
      return {};
    },
    places: ({ artifact }) => [`document ${artifact.key} in ${reference.scheme}://${reference.path}`],
    close: () => collection.close(),
  };
}
