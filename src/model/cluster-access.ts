import { at } from '../json.ts';
import type { Run } from './run.ts';

/** A Secret of the cluster with credentials for registries. */
export interface RegistrySecret {
  /** `namespace/name`, for messages. */
  readonly name: string;
  /** Whether its one member holds a Docker configuration, or only the `auths` of one. */
  readonly type: 'kubernetes.io/dockerconfigjson' | 'kubernetes.io/dockercfg';
  /** JSON. A secret: never shown. */
  readonly text: string;
}

/** A Secret that a run names for registries and that can't be used. */
export interface SecretProblem {
  /** Which one and why, on one line, without its contents: `the Secret ci/regcred is missing`. */
  readonly problem: string;
  /** The name of one that doesn't exist: a valid one of this name would be used. */
  readonly missing?: string;
  /** True where the controller's permissions have to change, not the Secret. */
  readonly isForbidden?: boolean;
}

/** What back ends may read from the cluster of the runs; empty where there is no cluster. */
export interface ClusterAccess {
  /**
   * The registry Secrets that a run may use, in order of precedence: its service account's `secrets`, then the service
   * account's `imagePullSecrets`, then its pod template's. Those that can't be used are in their places, with the reason.
   */
  registrySecrets?(run: Run, signal?: AbortSignal): Promise<readonly (RegistrySecret | SecretProblem)[]>;
  /** A token of this process's own service account for an audience. A secret: never shown. */
  identityToken?(audience: string, signal?: AbortSignal): Promise<string>;
}

/** Whether a name from a run is a valid name of a Secret or service account. */
export function isObjectName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(name);
}

/** The service account of a TaskRun, or of a PipelineRun in either version; `default` where none is named. */
export function serviceAccountOf({ object }: Run): string {
  const name =
    at(object, 'spec', 'serviceAccountName') ?? at(object, 'spec', 'taskRunTemplate', 'serviceAccountName');
  return typeof name === 'string' && name !== '' ? name : 'default';
}
