import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import { proxyFor } from './proxy.ts';

/** Connections to one host, by everything that is done at once, unless more are asked for. */
const perHost = 16;

/** What all connections of a kind have in common. */
export interface ConnectionsOptions {
  readonly connect: Exclude<Agent.Options['connect'], buildConnector.connector | undefined>;
  readonly headersTimeout?: number;
  readonly bodyTimeout?: number;
  /** At most so many to one host. */
  readonly connections?: number;
}

/** Connections to servers, straight or by the proxy that the environment names for each. */
export class Connections {
  readonly #options;
  readonly #straight: Agent;
  readonly #proxied = new Map<string, ProxyAgent>();

  constructor(options: ConnectionsOptions) {
    this.#options = { connections: perHost, ...options, allowH2: false };
    this.#straight = new Agent(this.#options);
  }

  /** @throws ChainsError CONNECTION_INVALID for a proxy that is not one */
  to(url: URL): Dispatcher {
    const proxy = proxyFor(url, process.env)?.href;
    if (proxy === undefined) return this.#straight;
    const agent =
      this.#proxied.get(proxy) ??
      new ProxyAgent({ ...this.#options, uri: proxy, requestTls: this.#options.connect });
    this.#proxied.set(proxy, agent);
    return agent;
  }

  async close(): Promise<void> {
    await Promise.all([this.#straight, ...this.#proxied.values()].map((agent) => agent.close()));
  }
}
