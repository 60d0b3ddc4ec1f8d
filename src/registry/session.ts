import { basic, type Challenge, parseChallenge, type Tokens } from './tokens.ts';
import type { Credentials } from './credentials.ts';
import type { Credential } from './docker-config.ts';
import { type RegistryAnswer, type Exchange, exchange, ledTo, nameOf } from './exchange.ts';
import { refused } from './failures.ts';
import type { Origin } from './origins.ts';

/** What a session works with. */
export interface SessionOptions {
  readonly origin: Origin;
  readonly tokens: Tokens;
  /** Asked only when the registry wants to see a credential. */
  readonly credentials: () => Promise<Credentials>;
  readonly signal?: AbortSignal | undefined;
}

/** How often a session gets another token for the credential that it uses. */
const mostRenewals = 16;

/** Somebody to be: with a credential, or anonymous. */
interface Caller {
  readonly source: string;
  readonly credential: Credential | undefined;
}

/**
 * Requests to one repository of a registry, with what its challenges ask for. After a 401 or 403 the next credential is
 * tried, and in the end none: a registry may be open although a credential for it is wrong.
 */
export class Session {
  readonly origin: string;
  readonly #options: SessionOptions;
  #challenge: Challenge | undefined;
  #authorization: string | undefined;
  /** Those not yet tried; undefined until one is asked for. */
  #identities: Caller[] | undefined;
  #current: Caller | undefined;
  /** The scopes that the current identity has a token for, and whether it was just given, or is older and may have expired. */
  readonly #scopes = new Map<string | undefined, 'fresh' | 'older'>();
  #renewals = 0;
  readonly #tried: string[] = [];
  #problems: readonly string[] = [];

  constructor(options: SessionOptions) {
    this.origin = options.origin.url;
    this.#options = options;
  }

  /** @throws ChainsError STORE_REFUSED when every credential is refused, STORE_UNAVAILABLE when there is no answer */
  async request(request: Exchange): Promise<RegistryAnswer> {
    for (;;) {
      const answer = await this.attempt(request);
      if (answer.status !== 401 && answer.status !== 403) return answer;
      if (!(await this.#next())) throw this.#refusal(request, answer);
    }
  }

  /** Like `request`, but with the credential in use only: the answer may be a refusal. */
  async attempt(request: Exchange): Promise<RegistryAnswer> {
    for (;;) {
      const answer = await this.#send(request);
      if (answer.status !== 401 && answer.status !== 403) {
        for (const scope of this.#scopes.keys()) this.#scopes.set(scope, 'older');
        return answer;
      }
      this.#challenge = parseChallenge(answer.header('www-authenticate')) ?? this.#challenge;
      if (!(await this.#renew(answer))) return answer;
    }
  }

  #send(request: Exchange): Promise<RegistryAnswer> {
    const { origin, signal } = this.#options;
    // An upload may go on at another host, which is no business of this credential.
    const known = this.#authorization !== undefined && request.url.origin === origin.url;
    const headers = { ...request.headers, ...(known ? { authorization: this.#authorization ?? '' } : {}) };
    return exchange({ ...request, headers }, { ...origin.line, signal });
  }

  /** Gets another token for the identity in use, where the one that was refused is for something else or may have expired. */
  async #renew({ status }: RegistryAnswer): Promise<boolean> {
    const challenge = this.#challenge;
    if (challenge?.scheme !== 'bearer' || this.#current === undefined) return false;
    // A registry may ask for more as a session goes on, but not for something else every time.
    if (this.#renewals >= mostRenewals) return false;
    this.#renewals += 1;
    const token = this.#scopes.get(challenge.scope);
    if (token === 'older') this.#options.tokens.forget(challenge, this.#current.credential);
    const other = token === 'older' || (token === undefined && status === 401);
    return other && this.#become(this.#current, challenge);
  }

  /** Goes on with the next credentials; false when none are left. */
  async #next(): Promise<boolean> {
    const challenge = this.#challenge;
    if (challenge === undefined) return false;
    if (this.#identities === undefined) {
      const { found, problems } = await this.#options.credentials();
      this.#identities = [...found, { source: 'anonymous', credential: undefined }];
      this.#problems = problems;
    }
    for (let next = this.#identities.shift(); next !== undefined; next = this.#identities.shift()) {
      this.#scopes.clear();
      this.#tried.push(next.source);
      if (await this.#become(next, challenge)) return true;
    }
    return false;
  }

  async #become(identity: Caller, challenge: Challenge): Promise<boolean> {
    const { credential } = identity;
    const authorization = await this.#authorizationFor(credential, challenge);
    if (authorization === undefined) return false;
    this.#current = identity;
    this.#authorization = authorization;
    return true;
  }

  async #authorizationFor(
    credential: Credential | undefined,
    challenge: Challenge,
  ): Promise<string | undefined> {
    if (challenge.scheme === 'basic') return credential?.kind === 'password' ? basic(credential) : undefined;
    if (credential?.kind === 'registry') return `Bearer ${credential.token}`;
    const { origin, tokens, signal } = this.#options;
    const token = await tokens.of(
      { ...challenge, realm: ledTo(challenge.realm, new URL(origin.url), 'place for tokens').href },
      credential,
      { ...origin.line, signal },
    );
    if (token === undefined) return undefined;
    this.#scopes.set(challenge.scope, token.cached ? 'older' : 'fresh');
    return `Bearer ${token.text}`;
  }

  #refusal(request: Exchange, answer: RegistryAnswer): Error {
    const tried = this.#tried.length === 0 ? 'it names no way to log in' : `tried: ${this.#tried.join(', ')}`;
    const why = [`the registry answered ${answer.status}`, tried, ...this.#problems].join('; ');
    return refused(`${nameOf(request)}: ${why}`, answer.status);
  }
}
