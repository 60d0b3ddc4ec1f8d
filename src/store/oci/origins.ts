import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { isExempt } from '../../network/no-proxy.ts';
import { exchange } from './exchange.ts';
import { apiHost, isLocal } from './repository.ts';

/** Where a registry's API is, and the connections to it. */
export interface Origin {
  /** `https://ghcr.io` */
  readonly url: string;
  readonly dispatcher: Dispatcher;
}

const connectTimeout = 10_000;

/**
 * Finds registries: by HTTPS, and by plain HTTP where that is allowed and HTTPS doesn't answer; keeps the connections.
 * Certificates are trusted as Node does, so `NODE_EXTRA_CA_CERTS` adds a CA; `HTTPS_PROXY` and `NO_PROXY` count, but
 * never for this machine.
 */
export class Origins {
  readonly #insecure: boolean;
  readonly #near: Dispatcher;
  readonly #far: Dispatcher;
  readonly #plain = new Set<string>();

  /** @param insecure plain HTTP and unverified certificates are allowed everywhere */
  constructor(insecure: boolean) {
    this.#insecure = insecure;
    const connect = { timeout: connectTimeout, rejectUnauthorized: !insecure, allowH2: false };
    this.#near = new Agent({ connect, allowH2: false });
    this.#far = new EnvHttpProxyAgent({ connect, requestTls: connect, allowH2: false });
  }

  /** @throws ChainsError STORE_UNAVAILABLE when nothing answers there */
  async of(host: string, signal?: AbortSignal): Promise<Origin> {
    const url = `https://${apiHost(host)}`;
    const straight = isLocal(host) || isExempt(new URL(url), process.env);
    const dispatcher = straight ? this.#near : this.#far;
    const secure = { url, dispatcher };
    const plain = { url: `http://${apiHost(host)}`, dispatcher };
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
    await Promise.all([this.#near.close(), this.#far.close()]);
  }

  async #ask({ url, dispatcher }: Origin, signal?: AbortSignal): Promise<void> {
    await exchange({ method: 'GET', url: new URL('/v2/', url) }, { dispatcher, signal });
  }
}

/** True when there was a certificate to find fault with. */
function answersWithTls(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return /CERT|SELF_SIGNED|UNABLE_TO_/.test(code) || answersWithTls(error.cause);
}
