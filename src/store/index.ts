import type { StoreName } from '../config/keys.ts';
import { ChainsError } from '../model/errors.ts';
import type { OpenStore } from './store.ts';

export type { OpenStore, Store } from './store.ts';

/** Every store of the ConfigMap; one that is not built yet rejects with BACKEND_NOT_BUILT. */
export const stores: { readonly [K in StoreName]: () => Promise<OpenStore> } = {
  tekton: async () => (await import('./tekton.ts')).openTektonStore,
  oci: async () => (await import('./oci/index.ts')).openOciStore,
  gcs: () => notBuilt('gcs'),
  docdb: () => notBuilt('docdb'),
  grafeas: () => notBuilt('grafeas'),
  pubsub: () => notBuilt('pubsub'),
  archivista: () => notBuilt('archivista'),
};

async function notBuilt(name: StoreName): Promise<never> {
  throw new ChainsError(
    'BACKEND_NOT_BUILT',
    `artifacts.taskrun.storage, artifacts.pipelinerun.storage or artifacts.oci.storage: \`${name}\` comes with a later version; use \`tekton\``,
  );
}
