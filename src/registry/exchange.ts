import type { Dispatcher } from 'undici';
import { readBody } from '../http/body.ts';
import { redirectFault } from '../http/addresses.ts';
import type { Json } from '../json.ts';
import { userAgent } from '../version.ts';
import { jsonIn } from './content.ts';
import { refused, unavailable } from './failures.ts';

/** One request. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The longest answer that is read, in bytes; unless given, enough for the reason of a refusal. */
  readonly longest?: number;
}

/** An answer, read to its end. */
export interface RegistryAnswer {
  readonly status: number;
  /** The values of all headers of this name. */
  readonly header: (name: string) => readonly string[];
  readonly body: Uint8Array;
  /** The body as JSON; undefined when it is not. */
  readonly json: Json | undefined;
  /** Where it came from, after redirects. */
  readonly url: URL;
}

/** How requests are made. */
export interface Route {
  /** Connections to a host: the registry's own, or one that it has named. */
  readonly dispatcherFor: (url: URL) => Promise<Dispatcher>;
  /** Milliseconds for an exchange, from the first connection to the last byte, redirects included. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

const shortAnswer = 64 * 1024;
const mostRedirects = 5;

/**
 * Makes one request. Follows the redirects that registries answer reads with, without the credential when they lead to
 * another host. A connection that broke is tried once more, since the server may have closed one that was kept open.
 * @throws ChainsError STORE_UNAVAILABLE when there is no whole answer in time; an abort rejects with the signal's own reason.
 */
export async function exchange(request: Exchange, route: Route): Promise<RegistryAnswer> {
  const limit = AbortSignal.timeout(route.timeout);
  const signal = route.signal === undefined ? limit : AbortSignal.any([route.signal, limit]);
  try {
    return await follow(request, { ...route, signal });
  } catch (error) {
    route.signal?.throwIfAborted();
    if (!limit.aborted) throw error;
    const seconds = route.timeout / 1_000;
    throw unavailable(`${nameOf(request)}: no whole answer within ${seconds} s (limits.exchange-timeout)`);
  }
}

/** `GET https://ghcr.io/v2/acme/app/manifests/latest`: no query, which can hold a secret. */
export function nameOf({ method, url }: Pick<Exchange, 'method' | 'url'>): string {
  return `${method} ${placeOf(url)}`;
}

/** A URL without its query, which can hold a secret. */
export function placeOf({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

/** A URL that a server names in its answer to a request for `from`. @throws ChainsError STORE_REFUSED where it must not lead there */
export function resolveTarget(target: string, from: URL, what: string): URL {
  const url = URL.parse(target, from.href);
  const fault = url === null ? 'is not a URL' : redirectFault(from, url);
  if (url !== null && fault === undefined) return url;
  const named = url === null ? 'something' : url.origin;
  throw refused(`${placeOf(from)} names ${named} as the ${what}, which ${fault ?? ''}`);
}

async function follow(request: Exchange, route: Route): Promise<RegistryAnswer> {
  let { url, headers = {} } = request;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await tryTwice({ ...request, url, headers }, route);
    const [location] = answer.header('location');
    const redirected = answer.status >= 301 && answer.status <= 308 && location !== undefined;
    if (!redirected || (request.method !== 'GET' && request.method !== 'HEAD')) return answer;
    if (redirects === mostRedirects) throw unavailable(`${nameOf(request)}: redirected too often`);
    const target = resolveTarget(location, url, 'place to be redirected to');
    if (target.origin !== url.origin) headers = withoutCredential(headers);
    url = target;
  }
}

async function tryTwice(request: Exchange, route: Route): Promise<RegistryAnswer> {
  for (let isLast = false; ; isLast = true) {
    try {
      return await once(request, route);
    } catch (error) {
      route.signal?.throwIfAborted();
      if (isLast || !isBroken(error)) throw unavailable(`${nameOf(request)}: no whole answer`, error);
    }
  }
}

async function once(
  { method, url, headers, body, longest = shortAnswer }: Exchange,
  { dispatcherFor, timeout, signal }: Route,
): Promise<RegistryAnswer> {
  const dispatcher = await dispatcherFor(url);
  const answer = await dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: { 'user-agent': userAgent, ...headers },
    body: body ?? null,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    signal: signal ?? null,
  });
  // An answer that is not 2xx holds only a reason, however long the expected content may be.
  const isExpected = answer.statusCode >= 200 && answer.statusCode < 300;
  const bytes = await readBody(answer, method === 'HEAD' ? 'none' : isExpected ? longest : shortAnswer);
  return {
    status: answer.statusCode,
    header: (name) => [answer.headers[name] ?? []].flat(),
    body: bytes,
    get json() {
      return jsonIn(bytes);
    },
    url,
  };
}

const brokenCodes: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

function isBroken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && brokenCodes.has(error.code);
}

function withoutCredential(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'authorization'));
}
