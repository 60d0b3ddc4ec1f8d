import type { Config, StoreName } from '../config/keys.ts';
import { ChainsError } from '../model/errors.ts';
import type { Store } from './store.ts';

export type { Store } from './store.ts';

/** Every store of the ConfigMap; one that is not built yet rejects with BACKEND_NOT_BUILT. */
export const stores: { readonly [K in StoreName]: () => Promise<(config: Config) => Promise<Store>> } = {
  tekton: async () => (await import('./tekton.ts')).openTektonStore,
  oci: () => notBuilt('oci'),
  gcs: async () => (await import('./gcs/index.ts')).openGcsStore,
  docdb: async () => (await import('./docdb/index.ts')).openDocdbStore,
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
