import type { Dispatchers } from './dispatcher.ts';

/** What a call was made with, so that a refused credential is renewed once and not by every call that it failed. */
export interface Access {
  readonly authorization: string | undefined;
  readonly dispatchers: Dispatchers;
}

/** How to reach one API server, and as whom. Credentials and CA that rotate are followed while it is open. */
export interface Connection {
  /** Base URL without a trailing slash; may have a path. */
  readonly server: string;
  /** The shared Agents; others after the CA or client certificate changed, so take them again for each call. */
  readonly dispatchers: Dispatchers;
  /** The namespace of the kubeconfig's context or of the pod; `default` when none is named. */
  readonly namespace: string;
  /**
   * Value of the header `Authorization`, undefined for none; follows token files and exec plugins.
   * @throws ChainsError CLUSTER_UNAVAILABLE when the credential can't be had just now.
   */
  authorization(): Promise<string | undefined>;
  /**
   * Reads credential and CA again after the server refused `used` (401), or its certificate failed; true when there is something else to try now.
   * @throws ChainsError CLUSTER_UNAVAILABLE when it can't be read.
   */
  renew(used: Access): Promise<boolean>;
  /** Closes all connections; calls in flight fail. */
  close(): Promise<void>;
}
