import { at } from '../json.ts';
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

/** A Secret that a run names for registries and that doesn't count. */
export interface SecretProblem {
  /** Which one and why, one line: `the Secret ci/regcred is missing`. Nothing of what it holds. */
  readonly problem: string;
  /** The name of one that isn't there: a right one of this name would count. */
  readonly missing?: string;
  /** True where it is the controller's rights that have to change, and no Secret. */
  readonly isForbidden?: boolean;
}

/** What back ends may ask of the cluster that the runs are in; nothing where there is no cluster. */
export interface ClusterAccess {
  /**
   * The registry Secrets that a run may use, in the order in which they count: of its service account the `secrets`,
   * then the `imagePullSecrets`, then its pod template's; among them what doesn't count, and why.
   */
  registrySecrets?(run: Run, signal?: AbortSignal): Promise<readonly (RegistrySecret | SecretProblem)[]>;
  /** A token of this process's own service account for an audience. A secret: never shown. */
  identityToken?(audience: string, signal?: AbortSignal): Promise<string>;
}

/** Whether the API server takes this for the name of a Secret or service account: what a run says may be anything. */
export function isObjectName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(name);
}

/** The service account of a TaskRun, or of a PipelineRun in either version; Kubernetes' own default where none is named. */
export function serviceAccountOf({ object }: Run): string {
  const name =
    at(object, 'spec', 'serviceAccountName') ?? at(object, 'spec', 'taskRunTemplate', 'serviceAccountName');
  return typeof name === 'string' && name !== '' ? name : 'default';
}
