import type { Dispatcher } from 'undici';
import { readBody } from '../http/body.ts';
import { redirectFault } from '../http/addresses.ts';
import { userAgent } from '../version.ts';
import { refused, unavailable } from './failures.ts';

/** One request. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** An answer that is longer is broken off. In bytes; unless given, enough for a reason and nothing else. */
  readonly longest?: number;
}

/** An answer, read to its end. */
export interface RegistryAnswer {
  readonly status: number;
  /** Of several headers of one name, the values one by one. */
  header(name: string): readonly string[];
  readonly body: Uint8Array;
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
 * another host. A connection that broke is tried once more: a kept one may have been closed.
 * @throws ChainsError STORE_UNAVAILABLE when there is no whole answer in time; an abort rejects with the signal's own reason.
 */
export async function exchange(request: Exchange, line: Route): Promise<RegistryAnswer> {
  const limit = AbortSignal.timeout(line.timeout);
  const signal = line.signal === undefined ? limit : AbortSignal.any([line.signal, limit]);
  try {
    return await follow(request, { ...line, signal });
  } catch (error) {
    line.signal?.throwIfAborted();
    if (!limit.aborted) throw error;
    const seconds = line.timeout / 1_000;
    throw unavailable(`${nameOf(request)}: no whole answer within ${seconds} s (limits.exchange-timeout)`);
  }
}

/** `GET https://ghcr.io/v2/acme/app/manifests/latest`: no query, which can hold a secret. */
export function nameOf({ method, url }: Exchange): string {
  return `${method} ${url.origin}${url.pathname}`;
}

/** The URL that a server names, seen from the one that was asked. @throws ChainsError STORE_REFUSED where it may not lead there */
export function ledTo(target: string, from: URL, what: string): URL {
  const url = URL.parse(target, from.href);
  const fault = url === null ? 'is not a URL' : redirectFault(from, url);
  if (url !== null && fault === undefined) return url;
  const named = url === null ? 'something' : url.origin;
  throw refused(`${from.origin}${from.pathname} names ${named} as the ${what}, which ${fault ?? ''}`);
}

async function follow(request: Exchange, line: Route): Promise<RegistryAnswer> {
  let { url } = request;
  let headers = request.headers ?? {};
  for (let redirects = 0; ; redirects += 1) {
    const answer = await tryTwice({ ...request, url, headers }, line);
    const [location] = answer.header('location');
    const redirected = answer.status >= 301 && answer.status <= 308 && location !== undefined;
    if (!redirected || (request.method !== 'GET' && request.method !== 'HEAD')) return answer;
    if (redirects === mostRedirects) throw unavailable(`${nameOf(request)}: redirected too often`);
    const target = ledTo(location, url, 'place to be redirected to');
    if (target.origin !== url.origin) headers = without(headers, 'authorization');
    url = target;
  }
}

async function tryTwice(request: Exchange, line: Route): Promise<RegistryAnswer> {
  try {
    return await once(request, line);
  } catch (error) {
    line.signal?.throwIfAborted();
    if (!isBroken(error)) throw unavailable(`${nameOf(request)}: no whole answer`, error);
  }
  try {
    return await once(request, line);
  } catch (error) {
    line.signal?.throwIfAborted();
    throw unavailable(`${nameOf(request)}: no whole answer`, error);
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
  // What is not an answer to the request is only a reason, of whatever length was expected.
  const isExpected = answer.statusCode >= 200 && answer.statusCode < 300;
  return {
    status: answer.statusCode,
    header: (name) => [answer.headers[name] ?? []].flat(),
    body: await readBody(answer, method === 'HEAD' ? 'none' : isExpected ? longest : shortAnswer),
    url,
  };
}

const brokenCodes: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

function isBroken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && brokenCodes.has(error.code);
}

function without(headers: Readonly<Record<string, string>>, name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}
