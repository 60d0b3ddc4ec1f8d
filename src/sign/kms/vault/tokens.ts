import { readFile } from 'node:fs/promises';
import { ChainsError, reasonOf } from '../../../errors.ts';
import { at, type Json } from '../../../json.ts';
import { unlessAborted } from '../../../concurrency.ts';
import { failures, unreadable, unusable, within } from '../service.ts';
import { fetchJwtSvid } from '../../spiffe.ts';
import type { VaultServer } from './server.ts';
import type { JwtSource, TokenOrigin } from './settings.ts';

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

/** How long Vault may take to log in, to look a token up or to renew it. In milliseconds. */
const patience = 10_000;

/**
 * The token for calls to Vault. A file is read again each time, so that a changed one is used at once. We log in when a token is
 * first needed, and again when it is about to expire or is refused. A renewable token is renewed after two thirds of its time,
 * by a timer that does not keep the process alive.
 */
export class VaultTokens {
  readonly #server: VaultServer;
  readonly #origin: TokenOrigin;
  #lease: (Lease & { readonly endsAt: number }) | undefined;
  #obtaining: Promise<string> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();

  constructor(server: VaultServer, origin: TokenOrigin) {
    this.#server = server;
    this.#origin = origin;
  }

  /** The token to use now; concurrent callers share one login. */
  async current(signal: AbortSignal): Promise<string> {
    const origin = this.#origin;
    const given = await givenToken(origin);
    const lease = this.#lease;
    if (lease !== undefined && (given === undefined ? Date.now() < lease.endsAt : given === lease.token)) {
      return lease.token;
    }
    this.#obtaining ??= this.#obtain(origin, given).finally(() => {
      this.#obtaining = undefined;
    });
    return unlessAborted(signal, this.#obtaining);
  }

  /** To be called when Vault refused a token; true if a retry makes sense, since it will use a new one. */
  refused(token: string): boolean {
    if (this.#origin.from !== 'login') return false;
    if (this.#lease?.token === token) this.#forget();
    return true;
  }

  close(): void {
    this.#closing.abort();
    this.#forget();
  }

  #obtain(origin: TokenOrigin, given: string | undefined): Promise<string> {
    return origin.from === 'login' ? this.#login(origin) : this.#lookUp(given ?? '');
  }

  /** How long a given token lasts. One that may not look itself up may still sign. */
  async #lookUp(token: string): Promise<string> {
    const what = 'look the Vault token up';
    const path = 'auth/token/lookup-self';
    const lease = await within(patience, what, this.#closing.signal, (signal) =>
      this.#server.ask({ what, method: 'GET', path, token, signal }),
    ).catch((error: unknown) => {
      if (error instanceof ChainsError && error.code === 'KMS_REFUSED') return null;
      throw error;
    });
    const renewable = at(lease, 'data', 'renewable') === true;
    this.#hold({ token, ttl: numberAt(lease, 'data', 'ttl'), renewable });
    return token;
  }

  async #login({ path: mount, role, identity }: Extract<TokenOrigin, { from: 'login' }>): Promise<string> {
    const path = `auth/${mount}/login`;
    const what = `log in to Vault at ${path}${role === undefined ? '' : ` as ${role}`}`;
    const answer = await within(patience, what, this.#closing.signal, async (signal) => {
      const body = { role, jwt: await identityToken(identity, signal) };
      return this.#server.ask({ what, method: 'POST', path, body, signal });
    });
    const lease = leaseIn(answer);
    if (lease === undefined) throw unreadable(what, 'no token');
    this.#hold(lease);
    return lease.token;
  }

  #hold(lease: Lease): void {
    this.#forget();
    const endsAt = lease.ttl === 0 ? Number.POSITIVE_INFINITY : Date.now() + lease.ttl * 1_000 * 0.9;
    this.#lease = { ...lease, endsAt };
    if (lease.renewable && lease.ttl > 0 && !this.#closing.signal.aborted) {
      this.#renewAfter((lease.ttl * 2_000) / 3, lease);
    }
  }

  #renewAfter(milliseconds: number, lease: Lease): void {
    const pause = Math.min(Math.max(milliseconds, shortestPause), longestPause);
    this.#timer = setTimeout(() => void this.#renew(lease), pause).unref();
  }

  async #renew({ token, ttl }: Lease): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(patience)]);
    const what = 'renew the Vault token';
    try {
      const path = 'auth/token/renew-self';
      const renewed = leaseIn(
        await this.#server.ask({ what, method: 'POST', path, body: {}, token, signal }),
      );
      if (this.#lease?.token !== token) return;
      // A token near its maximum lifetime is renewed for less and less: log in again.
      if (renewed === undefined || (this.#origin.from === 'login' && renewed.ttl < ttl / 2)) this.#forget();
      else this.#hold(renewed);
    } catch (error) {
      if (this.#lease?.token !== token || this.#closing.signal.aborted) return;
      const passes = error instanceof ChainsError && error.code === 'KMS_UNAVAILABLE';
      if (passes) this.#renewAfter(ttl * 50, { token, ttl, renewable: true });
      else if (this.#origin.from === 'login') this.#forget();
    }
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#lease = undefined;
  }
}

async function givenToken(origin: TokenOrigin): Promise<string | undefined> {
  if (origin.from === 'login') return undefined;
  return origin.from === 'text' ? origin.token : readToken(origin.path);
}

async function identityToken(identity: JwtSource, signal: AbortSignal): Promise<string> {
  return identity.from === 'file'
    ? readToken(identity.path)
    : fetchJwtSvid(identity.socket, identity.audience, failures, signal);
}

/** The token in a file, without surrounding white space. */
async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(
      `the token for Vault can't be read: ${reasonOf(error)}; correct the path, or set signers.kms.auth.token-path, signers.kms.auth.oidc.role or VAULT_TOKEN`,
    );
  });
  const token = text.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw unusable(
      `${path} ${token === '' ? 'is empty' : 'is not a token'}: it must hold one token and nothing else`,
    );
  }
  return token;
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
