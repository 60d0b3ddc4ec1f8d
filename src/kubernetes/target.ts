/** Who we are to the API server. */
export interface Identity {
  /** Value of the header `Authorization`. */
  readonly authorization?: string | undefined;
  /** Client certificate and key, PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
  /** Until when it may be used, in milliseconds since 1970; undefined: until the server refuses it. */
  readonly expires?: number | undefined;
}

/** What a kubeconfig or a pod's service account says about one cluster; what may rotate is a function that reads it anew. */
export interface Target {
  /** Base URL without a trailing slash. */
  readonly server: string;
  readonly namespace: string;
  readonly proxy: URL | undefined;
  /** The name that the server's certificate must have, where it isn't the server's host. */
  readonly serverName: string | undefined;
  /** True: the server's certificate isn't checked at all. */
  readonly insecure: boolean;
  /** The CA certificates, PEM; undefined for the system's. */
  ca(): Promise<string | undefined>;
  /** @param force true when the server has refused the present one. */
  identity(force: boolean): Promise<Identity>;
}
