import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici';

/** Connections to the API server at once, watches included; more calls than that wait their turn. */
const connections = 64;

/**
 * What all Agents have in common. HTTP/1.1, since node's HTTP/2 costs more CPU a call, and one broken connection would
 * take every watch with it. The API server keeps idle connections for longer than 30 seconds, so that we close first.
 */
const common = {
  connections,
  allowH2: false,
  keepAliveTimeout: 30_000,
  keepAliveMaxTimeout: 60_000,
  connectTimeout: 10_000,
} as const;

/** What a TLS connection to the server needs. */
export interface TlsOptions {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** The Agent for a server, straight or by a proxy. */
export function createDispatcher(tls: TlsOptions, proxy: URL | undefined): Dispatcher {
  const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
  const connect = { ...given, allowH2: false, timeout: common.connectTimeout };
  if (proxy === undefined) return new Agent({ ...common, connect });
  return new ProxyAgent({
    ...common,
    uri: proxy.href,
    requestTls: connect,
    proxyTls: { allowH2: false, timeout: common.connectTimeout },
    clientFactory: (origin, options) =>
      new Pool(origin, { ...options, headersTimeout: common.connectTimeout }),
  });
}
