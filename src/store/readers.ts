import type { StoreName } from '../config/keys.ts';
import type { OpenReader } from './store.ts';

/** The stores that are read back here: `tekton` is the run's own annotations, and what `pubsub` sent is its consumers'. */
export type ReadableStore = Exclude<StoreName, 'tekton' | 'pubsub'>;

/** Every store that is read back. */
export const readers: { readonly [K in ReadableStore]: () => Promise<OpenReader> } = {
  oci: async () => (await import('./oci/read.ts')).openOciReader,
  gcs: async () => (await import('./gcs/read.ts')).openGcsReader,
  docdb: async () => (await import('./docdb/read.ts')).openDocdbReader,
  grafeas: async () => (await import('./grafeas/read.ts')).openGrafeasReader,
  archivista: async () => (await import('./archivista-read.ts')).openArchivistaReader,
};
