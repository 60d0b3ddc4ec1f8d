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
  readonly line: Pick<Route, 'dispatcherFor' | 'timeout'>;
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
 * Certificates are trusted as Node does, so `NODE_EXTRA_CA_CERTS` adds a CA; `HTTPS_PROXY` and `NO_PROXY` count, but
 * never for this machine.
 */
export class Origins {
  readonly #insecure: boolean;
  readonly #near: Agent;
  readonly #far: Connections;
  /** To hosts that a public registry has named. */
  readonly #led: Connections;
  readonly #timeout: number;
  readonly #plain = new Set<string>();

  constructor({ insecure, timeout }: OriginsOptions) {
    this.#insecure = insecure;
    this.#timeout = timeout;
    const connect = { timeout: connectTimeout, rejectUnauthorized: !insecure, allowH2: false };
    this.#near = new Agent({ connections: 16, allowH2: false, connect });
    this.#far = new Connections({ connect });
    this.#led = new Connections({ connect: { ...connect, lookup: publicLookup } });
  }

  /** @throws ChainsError STORE_UNAVAILABLE when nothing answers there */
  async of(host: string, signal?: AbortSignal): Promise<Origin> {
    const url = `https://${apiHost(host)}`;
    const parsed = URL.parse(url);
    if (parsed === null) throw refused(`${host} is not the host of a registry`);
    if (scopeOf(parsed.hostname) === 'link-local')
      throw refused(`${host} is a link-local address, where no registry is looked for`);
    const line = { dispatcherFor: this.#dispatchers(parsed, isLocal(host)), timeout: this.#timeout };
    const secure = { url, line };
    const plain = { url: `http://${apiHost(host)}`, line };
    if (!this.#insecure && !isLocal(host)) return secure;
    if (this.#plain.has(host)) return plain;
    try {
      await this.#ask(secure, signal);
      return secure;
    } catch (error) {
      signal?.throwIfAborted();
      // A certificate that can't be trusted is no reason to do without any.
      if (!this.#insecure && answersWithTls(error)) throw error;
      await this.#ask(plain, signal).catch(() => {
        throw error;
      });
      this.#plain.add(host);
      return plain;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#near.close(), this.#far.close(), this.#led.close()]);
  }

  async #ask({ url, line }: Origin, signal?: AbortSignal): Promise<void> {
    await exchange({ method: 'GET', url: new URL('/v2/', url) }, { ...line, signal });
  }

  /** Connections to the registry's own host, and, where that is public, others to hosts that it names. */
  #dispatchers(registry: URL, isNear: boolean): Route['dispatcherFor'] {
    const registryIsPublic = onceOnly(() => isPublic(registry.hostname));
    return async (url) => {
      if (isNear) return this.#near;
      const isLed = url.hostname !== registry.hostname && (await registryIsPublic());
      return (isLed ? this.#led : this.#far).to(url);
    };
  }
}

function onceOnly<T>(work: () => Promise<T>): () => Promise<T> {
  let outcome: Promise<T> | undefined;
  return () => (outcome ??= work());
}

/** True when there was a certificate to find fault with. */
function answersWithTls(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return /CERT|SELF_SIGNED|UNABLE_TO_/.test(code) || answersWithTls(error.cause);
}
