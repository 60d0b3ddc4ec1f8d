import type { Config, StoreName } from '../config/keys.ts';
import type { StoreReader } from '../model/stored.ts';

/** The stores that are read back here: `tekton` is the run's own annotations, and what `pubsub` sent is its consumers'. */
export type ReadableStore = Exclude<StoreName, 'tekton' | 'pubsub'>;

/** Opens a store for reading. @throws ChainsError CONFIG_INVALID for a setting that is missing */
export type OpenReader = (config: Config) => Promise<StoreReader>;

/** Every store that is read back. */
export const readers: { readonly [K in ReadableStore]: () => Promise<OpenReader> } = {
  oci: async () => (await import('./oci/read.ts')).openOciReader,
  gcs: async () => (await import('./gcs/read.ts')).openGcsReader,
  docdb: async () => (await import('./docdb/read.ts')).openDocdbReader,
  grafeas: async () => (await import('./grafeas/read.ts')).openGrafeasReader,
  archivista: async () => (await import('./archivista-read.ts')).openArchivistaReader,
};
