import { unlessAborted } from '../../../concurrency.ts';
import { ChainsError } from '../../../errors.ts';
import { at, type Json } from '../../../json.ts';
import { failures } from '../service.ts';
import type { VaultServer } from './server.ts';
import type { Login, TokenSource } from './settings.ts';

/** A token with what Vault says about it. */
interface Lease {
  readonly token: string;
  /** In seconds; 0 for a token that never expires. */
  readonly ttl: number;
  readonly renewable: boolean;
}

/** Milliseconds between renewals; node's timers can wait at most 24.8 days. */
const shortestPause = 1_000;
const longestPause = 86_400_000;

/** Milliseconds to log in, to look a token up or to renew it. */
const timeout = 10_000;

/** The token for calls to Vault. */
interface VaultTokens {
  /** The token to use now; concurrent callers share one login. */
  current(signal: AbortSignal): Promise<string>;
  /** To be called when Vault refused a token; true if a retry makes sense, since it will use a new one. */
  refused(token: string): boolean;
  close(): void;
}

/**
 * Provides tokens. A file is read again each time, so that a changed one is used at once. We log in when a token is first
 * needed, and again when it is about to expire or is refused. A renewable token is renewed after two thirds of its time, by
 * a timer that does not keep the process alive.
 */
export function openTokens(server: VaultServer, source: TokenSource): VaultTokens {
  const login = 'login' in source ? source.login : undefined;
  const closing = new AbortController();
  let current: (Lease & { readonly expiresAt: number }) | undefined;
  let obtaining: Promise<string> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function forget(): void {
    clearTimeout(timer);
    current = undefined;
  }

  function keep(lease: Lease): string {
    forget();
    const expiresAt = lease.ttl === 0 ? Number.POSITIVE_INFINITY : Date.now() + lease.ttl * 1_000 * 0.9;
    current = { ...lease, expiresAt };
    if (lease.renewable && lease.ttl > 0 && !closing.signal.aborted)
      renewAfter((lease.ttl * 2_000) / 3, lease);
    return lease.token;
  }

  function renewAfter(milliseconds: number, lease: Lease): void {
    const pause = Math.min(Math.max(milliseconds, shortestPause), longestPause);
    timer = setTimeout(() => void renew(lease), pause).unref();
  }

  async function renew({ token, ttl }: Lease): Promise<void> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeout)]);
    const call = { what: 'renew the Vault token', method: 'POST', path: 'auth/token/renew-self' } as const;
    try {
      const renewed = leaseIn(await server.ask({ ...call, body: {}, token, signal }));
      if (current?.token !== token) return;
      // A token near its maximum lifetime is renewed for less and less: log in again.
      if (renewed === undefined || (login !== undefined && renewed.ttl < ttl / 2)) forget();
      else keep(renewed);
    } catch (error) {
      if (current?.token !== token || closing.signal.aborted) return;
      const passes = error instanceof ChainsError && error.code === 'KMS_UNAVAILABLE';
      if (passes) renewAfter(ttl * 50, { token, ttl, renewable: true });
      else if (login !== undefined) forget();
    }
  }

  async function logIn({ path: mount, role, jwt }: Login): Promise<string> {
    const path = `auth/${mount}/login`;
    const what = `log in to Vault at ${path}${role === undefined ? '' : ` as ${role}`}`;
    const answer = await failures.within(timeout, what, closing.signal, async (signal) => {
      const body = { role, jwt: await jwt(signal) };
      return server.ask({ what, method: 'POST', path, body, signal });
    });
    const lease = leaseIn(answer);
    if (lease === undefined) throw failures.unreadable(what, 'no token');
    return keep(lease);
  }

  /** How long a given token lasts. One that may not look itself up may still sign. */
  async function lookUp(token: string): Promise<string> {
    const what = 'look the Vault token up';
    const path = 'auth/token/lookup-self';
    const answer = await failures
      .within(timeout, what, closing.signal, (signal) =>
        server.ask({ what, method: 'GET', path, token, signal }),
      )
      .catch((error: unknown) => {
        if (error instanceof ChainsError && error.code === 'KMS_REFUSED') return null;
        throw error;
      });
    const renewable = at(answer, 'data', 'renewable') === true;
    return keep({ token, ttl: numberAt(answer, 'data', 'ttl'), renewable });
  }

  function share(obtain: () => Promise<string>, signal: AbortSignal): Promise<string> {
    obtaining ??= obtain().finally(() => {
      obtaining = undefined;
    });
    return unlessAborted(signal, obtaining);
  }

  return {
    async current(signal) {
      if ('login' in source) {
        if (current !== undefined && Date.now() < current.expiresAt) return current.token;
        return share(() => logIn(source.login), signal);
      }
      const given = await source.read();
      return given === current?.token ? given : share(() => lookUp(given), signal);
    },
    refused(token) {
      if (login !== undefined && current?.token === token) forget();
      return login !== undefined;
    },
    close() {
      closing.abort();
      forget();
    },
  };
}

function leaseIn(answer: Json): Lease | undefined {
  const token = at(answer, 'auth', 'client_token');
  if (typeof token !== 'string' || token === '') return undefined;
  return {
    token,
    ttl: numberAt(answer, 'auth', 'lease_duration'),
    renewable: at(answer, 'auth', 'renewable') === true,
  };
}

function numberAt(answer: Json, ...path: readonly string[]): number {
  const value = at(answer, ...path);
  return typeof value === 'number' ? value : 0;
}
