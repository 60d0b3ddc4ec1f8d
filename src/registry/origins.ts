import { Agent } from 'undici';
import { Connections } from '../http/connections.ts';
import { isPublic, publicLookup, scopeOf } from '../http/addresses.ts';
import { exchange, type Route } from './exchange.ts';
import { refused } from './failures.ts';
import { apiHost, isLocal } from './repository.ts';

/** Where a registry's API is, and the connections to it. */
export interface Origin {
  /** `https://ghcr.io` */
  readonly url: string;
  readonly route: Omit<Route, 'signal'>;
}

/** How registries are reached. */
export interface OriginsOptions {
  /** Plain HTTP and unverified certificates are allowed everywhere. */
  readonly insecure: boolean;
  /** Milliseconds for one exchange. */
  readonly timeout: number;
}

const connectTimeout = 10_000;

/**
 * Finds registries: by HTTPS, and by plain HTTP where that is allowed and HTTPS doesn't answer; keeps the connections.
 * Certificates are trusted as Node does, so `NODE_EXTRA_CA_CERTS` adds a CA; `HTTPS_PROXY` and `NO_PROXY` are honoured,
 * but never for this machine.
 */
export class Origins {
  readonly #options: OriginsOptions;
  readonly #local: Agent;
  readonly #remote: Connections;
  /** To hosts that a public registry has named. */
  readonly #named: Connections;
  /** Hosts that answer by plain HTTP only. */
  readonly #plain = new Set<string>();

  constructor(options: OriginsOptions) {
    this.#options = options;
    const connect = { timeout: connectTimeout, rejectUnauthorized: !options.insecure, allowH2: false };
    this.#local = new Agent({ connections: 16, allowH2: false, connect });
    this.#remote = new Connections({ connect });
    this.#named = new Connections({ connect: { ...connect, lookup: publicLookup } });
  }

  /** @throws ChainsError STORE_UNAVAILABLE when nothing answers there */
  async of(host: string, signal?: AbortSignal): Promise<Origin> {
    const { insecure, timeout } = this.#options;
    const url = `https://${apiHost(host)}`;
    const parsed = URL.parse(url);
    if (parsed === null) throw refused(`${host} is not the host of a registry`);
    if (scopeOf(parsed.hostname) === 'link-local')
      throw refused(`${host} is a link-local address, where no registry is looked for`);
    const route = { dispatcherFor: this.#dispatchers(parsed, isLocal(host)), timeout };
    const secure = { url, route };
    const plain = { url: `http://${apiHost(host)}`, route };
    if (!insecure && !isLocal(host)) return secure;
    if (this.#plain.has(host)) return plain;
    try {
      await ask(secure, signal);
      return secure;
    } catch (error) {
      signal?.throwIfAborted();
      // An untrusted certificate is no reason to go on without any.
      if (!insecure && answersWithTls(error)) throw error;
      await ask(plain, signal).catch(() => {
        throw error;
      });
      this.#plain.add(host);
      return plain;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#local.close(), this.#remote.close(), this.#named.close()]);
  }

  /** Connections to the registry's own host, and, where that is public, others to hosts that it names. */
  #dispatchers(registry: URL, isOnLocalNetwork: boolean): Route['dispatcherFor'] {
    let registryIsPublic: Promise<boolean> | undefined;
    return async (url) => {
      if (isOnLocalNetwork) return this.#local;
      const isNamed =
        url.hostname !== registry.hostname && (await (registryIsPublic ??= isPublic(registry.hostname)));
      return (isNamed ? this.#named : this.#remote).to(url);
    };
  }
}

async function ask({ url, route }: Origin, signal?: AbortSignal): Promise<void> {
  await exchange({ method: 'GET', url: new URL('/v2/', url) }, { ...route, signal });
}

/** True when the server showed a certificate, though not one to trust. */
function answersWithTls(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return /CERT|SELF_SIGNED|UNABLE_TO_/.test(code) || answersWithTls(error.cause);
}
