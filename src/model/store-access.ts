import type { Run } from './run.ts';

/** A Secret of the cluster with credentials for registries, as it is. */
export interface RegistrySecret {
  /** `namespace/name`, for messages. */
  readonly name: string;
  /** What its one member holds: a Docker configuration, or only the `auths` of one. */
  readonly type: 'kubernetes.io/dockerconfigjson' | 'kubernetes.io/dockercfg';
  /** JSON. A secret: never shown. */
  readonly text: string;
}

/** What stores may ask of the cluster that the runs are in; nothing where there is no cluster. */
export interface StoreAccess {
  /**
   * The registry Secrets that a run may use, in the order in which they count: of its service account the `secrets`,
   * then the `imagePullSecrets`, then its pod template's. What may not be read, or is not there, is left out.
   */
  registrySecrets?(run: Run, signal?: AbortSignal): Promise<readonly RegistrySecret[]>;
}
