import type { Config, StoreName } from '../config/keys.ts';
import { ChainsError } from '../model/errors.ts';
import type { OpenStore, Store } from './store.ts';

export type { OpenStore, Store } from './store.ts';

/** Every store of the ConfigMap; one that is not built yet rejects with BACKEND_NOT_BUILT. */
export const stores: { readonly [K in StoreName]: () => Promise<OpenStore> } = {
  tekton: async () => (await import('./tekton.ts')).openTektonStore,
  oci: async () => (await import('./oci/index.ts')).openOciStore,
  gcs: () => notBuilt('gcs'),
  docdb: () => notBuilt('docdb'),
  grafeas: async () => alone((await import('./grafeas/index.ts')).openGrafeasStore),
  pubsub: async () => alone((await import('./pubsub/index.ts')).openPubsubStore),
  archivista: async () => alone((await import('./archivista.ts')).openArchivistaStore),
};

/** A store that asks nothing of the cluster. */
function alone(open: (config: Config) => Promise<Store>): OpenStore {
  return (config) => open(config);
}

async function notBuilt(name: StoreName): Promise<never> {
  throw new ChainsError(
    'BACKEND_NOT_BUILT',
    `artifacts.taskrun.storage, artifacts.pipelinerun.storage or artifacts.oci.storage: \`${name}\` comes with a later version; use \`tekton\``,
  );
}
