import type { StoreName } from '../config/keys.ts';
import type { OpenReader, OpenStore } from './store.ts';

export type { Store } from './store.ts';

/** Every store of the ConfigMap. */
export const stores: { readonly [K in StoreName]: () => Promise<OpenStore> } = {
  tekton: async () => (await import('./tekton.ts')).openTektonStore,
  oci: async () => (await import('./oci/index.ts')).openOciStore,
  gcs: async () => (await import('./gcs/index.ts')).openGcsStore,
  docdb: async () => (await import('./docdb/index.ts')).openDocdbStore,
  grafeas: async () => (await import('./grafeas/index.ts')).openGrafeasStore,
  pubsub: async () => (await import('./pubsub/index.ts')).openPubsubStore,
  archivista: async () => (await import('./archivista.ts')).openArchivistaStore,
};

/** The stores that are read back here: `tekton` is the run's own annotations, and only consumers have what `pubsub` sent. */
export type ReadableStore = Exclude<StoreName, 'tekton' | 'pubsub'>;

/** Every store that is read back. */
export const readers: { readonly [K in ReadableStore]: () => Promise<OpenReader> } = {
  oci: async () => (await import('./oci/read.ts')).openOciReader,
  gcs: async () => (await import('./gcs/index.ts')).openGcsReader,
  docdb: async () => (await import('./docdb/index.ts')).openDocdbReader,
  grafeas: async () => (await import('./grafeas/index.ts')).openGrafeasReader,
  archivista: async () => (await import('./archivista.ts')).openArchivistaReader,
};
