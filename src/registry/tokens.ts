import { createHash } from 'node:crypto';
import { at } from '../json.ts';
import type { Credential } from './docker-config.ts';
import { exchange, placeOf, type RegistryAnswer, type Route } from './exchange.ts';
import { failedAnswer, refused, unavailable } from './failures.ts';

type BearerChallenge = Extract<Challenge, { scheme: 'bearer' }>;

/** A token that a realm gave. */
interface Token {
  readonly text: string;
  /** True when it was given for an earlier request, so that it may have been revoked meanwhile. */
  readonly cached: boolean;
  /** Whether another session has been given it since, which may have used it up. */
  isShared(): boolean;
  /** When it expires, in milliseconds since 1970. */
  readonly expires: number;
}

/** Seconds that a token lives when the realm doesn't say (distribution's "Token authentication"). */
const usualLife = 60;
/** Seconds that a token is kept at most, whatever the realm says, and how many of them. */
const [longestLife, mostKept] = [3_600, 512];
/** Milliseconds before its end in which a token is no longer used. */
const margin = 10_000;

/** Gets tokens, and keeps each until it expires. */
export class Tokens {
  readonly #kept = new Map<string, { readonly text: string; readonly expires: number; isShared: boolean }>();

  /** The token for a challenge and credential, without one an anonymous token; undefined when the realm refuses it. */
  async of(
    challenge: BearerChallenge,
    credential: Credential | undefined,
    route: Route,
  ): Promise<Token | undefined> {
    const key = keyOf(challenge, credential);
    const kept = this.#kept.get(key);
    if (kept !== undefined && isKept(kept)) {
      kept.isShared = true;
      return { ...kept, cached: true, isShared: () => true };
    }
    const asked = Date.now();
    const answer = await ask(challenge, credential, route);
    if (answer.status === 401 || answer.status === 403) return undefined;
    const what = `the token of ${placeOf(answer.url)}`;
    if (answer.status !== 200) throw failedAnswer(what, answer);
    const { text, life } = read(answer, what);
    for (const [other, token] of this.#kept) if (!isKept(token)) this.#kept.delete(other);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= mostKept && oldest !== undefined) this.#kept.delete(oldest);
    const token = { text, expires: asked + life * 1000, isShared: false };
    this.#kept.set(key, token);
    return { ...token, cached: false, isShared: () => token.isShared };
  }

  /** Forgets the token that a registry didn't take. */
  forget(challenge: BearerChallenge, credential: Credential | undefined): void {
    this.#kept.delete(keyOf(challenge, credential));
  }
}

function isKept({ expires }: Pick<Token, 'expires'>): boolean {
  return expires - margin > Date.now();
}

/** The key holds the digest of the credential instead of a secret. */
function keyOf({ realm, service, scope }: BearerChallenge, credential: Credential | undefined): string {
  const whose = createHash('sha256')
    .update(JSON.stringify(credential ?? null))
    .digest('base64');
  return JSON.stringify([realm, service, scope, whose]);
}

async function ask(
  { realm, service, scope }: BearerChallenge,
  credential: Credential | undefined,
  route: Route,
): Promise<RegistryAnswer> {
  const url = new URL(realm);
  const scopes = scope?.split(' ').filter((one) => one !== '') ?? [];
  if (credential?.kind === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'tekton-chains',
      refresh_token: credential.token,
      ...(service === undefined ? {} : { service }),
      ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return exchange({ method: 'POST', url, headers, body: Buffer.from(form.toString()) }, route);
  }
  if (service !== undefined) url.searchParams.set('service', service);
  for (const one of scopes) url.searchParams.append('scope', one);
  const headers = credential?.kind === 'password' ? { authorization: basic(credential) } : {};
  return exchange({ method: 'GET', url, headers }, route);
}

/** The header for Basic authentication (RFC 7617). */
export function basic({ username, password }: Extract<Credential, { kind: 'password' }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function read({ json }: RegistryAnswer, what: string): { text: string; life: number } {
  if (json === undefined) throw unavailable(`${what}: the answer is not JSON`);
  const text = at(json, 'token') ?? at(json, 'access_token');
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text))
    throw refused(`${what}: there is none in the answer`);
  const life = at(json, 'expires_in');
  return { text, life: typeof life === 'number' && life > 0 ? Math.min(life, longestLife) : usualLife };
}

/** How a registry asks for authentication (RFC 9110, 11.6.1; distribution's "Token authentication"). */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      /** The URL that gives tokens. */
      readonly realm: string;
      readonly service: string | undefined;
      /** Scopes separated by spaces: `repository:acme/app:pull,push`. */
      readonly scope: string | undefined;
    };

const piece = /([A-Za-z][\w-]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g;

/** The first challenge of `WWW-Authenticate` headers that we can answer, bearer before basic; undefined when there is none. */
export function parseChallenge(headers: readonly string[]): Challenge | undefined {
  const challenges = headers.flatMap(challengesIn);
  for (const { scheme, params } of challenges) {
    const realm = params.get('realm');
    if (scheme === 'bearer' && realm !== undefined)
      return { scheme, realm, service: params.get('service'), scope: params.get('scope') };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
}

function challengesIn(header: string): readonly { scheme: string; params: Map<string, string> }[] {
  const challenges: { scheme: string; params: Map<string, string> }[] = [];
  for (const [, name = '', quoted, token] of header.matchAll(piece)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? token;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), params: new Map() });
    else challenges.at(-1)?.params.set(name.toLowerCase(), value);
  }
  return challenges;
}
