import type { Config, StoreName } from '../config/keys.ts';
import { ChainsError } from '../model/errors.ts';
import type { Store } from './store.ts';

export type { Store } from './store.ts';

/** Every store of the ConfigMap; one that is not built yet rejects with BACKEND_NOT_BUILT. */
export const stores: { readonly [K in StoreName]: () => Promise<(config: Config) => Promise<Store>> } = {
  tekton: async () => (await import('./tekton.ts')).openTektonStore,
  oci: () => notBuilt('oci'),
  gcs: () => notBuilt('gcs'),
  docdb: () => notBuilt('docdb'),
  grafeas: async () => (await import('./grafeas/index.ts')).openGrafeasStore,
  pubsub: async () => (await import('./pubsub/index.ts')).openPubsubStore,
  archivista: async () => (await import('./archivista.ts')).openArchivistaStore,
};

async function notBuilt(name: StoreName): Promise<never> {
  throw new ChainsError(
    'BACKEND_NOT_BUILT',
    `artifacts.taskrun.storage, artifacts.pipelinerun.storage or artifacts.oci.storage: \`${name}\` comes with a later version; use \`tekton\``,
  );
}
