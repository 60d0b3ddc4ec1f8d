import type { Config, StoreName } from '../config/keys.ts';
import type { OpenReader, OpenStore, Store } from './store.ts';

export type { OpenStore, Store } from './store.ts';

/** Every store of the ConfigMap. */
export const stores: { readonly [K in StoreName]: () => Promise<OpenStore> } = {
  tekton: async () => (await import('./tekton.ts')).openTektonStore,
  oci: async () => (await import('./oci/index.ts')).openOciStore,
  gcs: async () => alone((await import('./gcs/index.ts')).openGcsStore),
  docdb: async () => alone((await import('./docdb/index.ts')).openDocdbStore),
  grafeas: async () => alone((await import('./grafeas/index.ts')).openGrafeasStore),
  pubsub: async () => alone((await import('./pubsub/index.ts')).openPubsubStore),
  archivista: async () => alone((await import('./archivista.ts')).openArchivistaStore),
};

/** A store that asks nothing of the cluster. */
function alone(open: (config: Config) => Promise<Store>): OpenStore {
  return (config) => open(config);
}

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
