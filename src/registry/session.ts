import { basic, type Challenge, parseChallenge, type Tokens } from './tokens.ts';
import type { Credentials } from './credentials.ts';
import type { Credential } from './docker-config.ts';
import { type Exchange, exchange, nameOf, type RegistryAnswer, resolveTarget } from './exchange.ts';
import { failedAnswer, refused } from './failures.ts';
import type { Origin } from './origins.ts';

/** What a session needs. */
export interface SessionOptions {
  readonly origin: Origin;
  readonly tokens: Tokens;
  /** Called only when the registry asks for authentication. */
  readonly credentials: () => Promise<Credentials>;
  readonly signal?: AbortSignal | undefined;
}

/** How often a session gets another token for the credential that it uses. */
const mostRenewals = 16;

/** What a session authenticates as; without a credential, anonymous. */
interface Identity {
  readonly source: string;
  readonly credential: Credential | undefined;
}

/**
 * Authenticated requests to one repository of a registry. After a 401 or 403 the next credential is tried, and in the end
 * none, since a registry may be open although a credential for it is wrong.
 */
export class Session {
  readonly origin: string;
  readonly #options: SessionOptions;
  #challenge: Challenge | undefined;
  #authorization: string | undefined;
  /** Those not yet tried; undefined until one is needed. */
  #identities: Identity[] | undefined;
  #current: Identity | undefined;
  /**
   * The scopes that the current identity has a token for, and the time from which a refusal may mean that it has expired or
   * was revoked: for a new token when it expires, at once for one that has been used, here or by another session.
   */
  readonly #scopes = new Map<string | undefined, () => number>();
  #renewals = 0;
  readonly #tried: string[] = [];
  #problems: readonly string[] = [];

  constructor(options: SessionOptions) {
    this.origin = options.origin.url;
    this.#options = options;
  }

  /**
   * Makes a request, with one credential after the other as long as it is refused.
   * @throws ChainsError STORE_REFUSED when every credential is refused, STORE_UNAVAILABLE when there is no answer, and what
   * {@link failedAnswer} gives for a status that is not among `statuses`
   */
  async request(statuses: readonly number[], request: Exchange): Promise<RegistryAnswer> {
    for (;;) {
      const answer = await this.attempt(request);
      if (statuses.includes(answer.status)) return answer;
      if (answer.status !== 401 && answer.status !== 403)
        throw failedAnswer(nameOf({ ...request, url: answer.url }), answer);
      if (!(await this.#next())) throw this.#refusal(request, answer);
    }
  }

  /** Makes a request with the credential in use only: the answer may be a refusal. */
  async attempt(request: Exchange): Promise<RegistryAnswer> {
    for (;;) {
      const answer = await this.#send(request);
      if (answer.status !== 401 && answer.status !== 403) {
        for (const scope of this.#scopes.keys()) this.#scopes.set(scope, () => 0);
        return answer;
      }
      this.#challenge = parseChallenge(answer.header('www-authenticate')) ?? this.#challenge;
      if (!(await this.#renew(answer))) return answer;
    }
  }

  #send(request: Exchange): Promise<RegistryAnswer> {
    const { origin, signal } = this.#options;
    // An upload may go on at another host, which must not get the credential.
    const known = this.#authorization !== undefined && request.url.origin === origin.url;
    const headers = { ...request.headers, ...(known ? { authorization: this.#authorization ?? '' } : {}) };
    return exchange({ ...request, headers }, { ...origin.route, signal });
  }

  /** Gets another token for the identity in use, where the refused one has another scope or may have expired. */
  async #renew({ status }: RegistryAnswer): Promise<boolean> {
    const challenge = this.#challenge;
    if (challenge?.scheme !== 'bearer' || this.#current === undefined) return false;
    // A registry may ask for more scopes as a session goes on, but not without end.
    if (this.#renewals >= mostRenewals) return false;
    this.#renewals += 1;
    const doubtfulFrom = this.#scopes.get(challenge.scope);
    if (doubtfulFrom === undefined) return status === 401 && this.#authenticate(this.#current, challenge);
    if (doubtfulFrom() > Date.now()) return false;
    this.#options.tokens.forget(challenge, this.#current.credential);
    return this.#authenticate(this.#current, challenge);
  }

  /** Authenticates with the next credential; false when none is left. */
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
      if (await this.#authenticate(next, challenge)) return true;
    }
    return false;
  }

  async #authenticate(identity: Identity, challenge: Challenge): Promise<boolean> {
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
      { ...challenge, realm: resolveTarget(challenge.realm, new URL(origin.url), 'place for tokens').href },
      credential,
      { ...origin.route, signal },
    );
    if (token === undefined) return undefined;
    this.#scopes.set(challenge.scope, () => (token.cached || token.isShared() ? 0 : token.expires));
    return `Bearer ${token.text}`;
  }

  #refusal(request: Exchange, answer: RegistryAnswer): Error {
    const tried = this.#tried.length === 0 ? 'it names no way to log in' : `tried: ${this.#tried.join(', ')}`;
    const why = [`the registry answered ${answer.status}`, tried, ...this.#problems].join('; ');
    return refused(`${nameOf(request)}: ${why}`, answer.status);
  }
}
