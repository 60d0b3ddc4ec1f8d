import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici';

/** Connections for calls at once; more calls than that wait their turn. */
const connectionsForCalls = 64;

/**
 * What all Agents have in common. HTTP/1.1, since node's HTTP/2 costs more CPU a call, and one broken connection would
 * take every watch with it. The API server keeps idle connections for longer than 30 seconds, so that we close first.
 */
const common = {
  allowH2: false,
  keepAliveTimeout: 30_000,
  keepAliveMaxTimeout: 60_000,
  connectTimeout: 10_000,
} as const;

/** What a TLS connection to the server needs. */
export interface ClusterTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** The connections to one server. */
export interface Dispatchers {
  readonly calls: Dispatcher;
  /** A watch holds its connection for minutes: one for each watch, and none of those that calls wait for. */
  readonly watches: Dispatcher;
  /** Resolves when everything in flight has finished. */
  close(): Promise<void>;
  /** Fails what is in flight. */
  destroy(): Promise<void>;
}

/** The Agents for a server, straight or by a proxy. */
export function createDispatchers(tls: ClusterTls, proxy: URL | undefined): Dispatchers {
  const calls = createDispatcher(tls, proxy, connectionsForCalls);
  const watches = createDispatcher(tls, proxy, null);
  return {
    calls,
    watches,
    async close() {
      await Promise.all([calls.close(), watches.close()]);
    },
    async destroy() {
      await Promise.all([calls.destroy(), watches.destroy()]);
    },
  };
}

/** @param connections at most so many at once; null for as many as are asked for */
function createDispatcher(tls: ClusterTls, proxy: URL | undefined, connections: number | null): Dispatcher {
  const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
  const connect = { ...given, allowH2: false, timeout: common.connectTimeout };
  if (proxy === undefined) return new Agent({ ...common, connections, connect });
  return new ProxyAgent({
    ...common,
    connections,
    uri: proxy.href,
    requestTls: connect,
    proxyTls: { allowH2: false, timeout: common.connectTimeout },
    clientFactory: (origin, options) =>
      new Pool(origin, { ...options, headersTimeout: common.connectTimeout }),
  });
}
