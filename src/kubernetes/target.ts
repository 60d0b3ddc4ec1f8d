import { withoutTrailing } from '../text.ts';
import { invalid } from './material.ts';

/** Who we are to the API server. */
export interface ClusterIdentity {
  /** Value of the header `Authorization`. */
  readonly authorization?: string | undefined;
  /** Client certificate and key, PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
  /** Until when it may be used, in milliseconds since 1970; undefined: until the server refuses it. */
  readonly expires?: number | undefined;
}

/** What a kubeconfig or a pod's service account says about one cluster; what may rotate is a function that reads it again. */
export interface ClusterTarget {
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
  identity(force: boolean): Promise<ClusterIdentity>;
}

/** An API server's base URL without a trailing slash. @throws ChainsError CONNECTION_INVALID */
export function readServer(address: string, where: string): string {
  if (address === '')
    throw invalid(where, "is missing; it must be the API server's address, as in https://host:6443");
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw invalid(where, 'must be a URL that begins with https:// or http://');
  }
  if (url.username !== '' || url.search !== '' || url.hash !== '') {
    throw invalid(where, 'must have no user, query or fragment');
  }
  return `${url.origin}${withoutTrailing(url.pathname, '/')}`;
}
