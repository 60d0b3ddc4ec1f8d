import type { Dispatcher } from 'undici';
import { version } from '../../model/version.ts';
import { unavailable } from './failures.ts';

/** One request. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  /** Of several headers of one name, the values one by one. */
  header(name: string): readonly string[];
  readonly body: Uint8Array;
  /** Where it came from, after redirects. */
  readonly url: URL;
}

/** How requests are made. */
export interface Line {
  readonly dispatcher: Dispatcher;
  readonly signal?: AbortSignal | undefined;
}

const silence = 30_000;
/** No registry gives us more than this: the longest answers are blobs of other signatures. */
const longestAnswer = 64 * 1024 * 1024;
const mostRedirects = 5;

/**
 * Makes one request. Follows the redirects that registries answer reads with, without the credential when they lead to
 * another host, and never from HTTPS to HTTP. A connection that broke is tried once more: a kept one may have been closed.
 * @throws ChainsError STORE_UNAVAILABLE when there is no whole answer; an abort rejects with the signal's own reason.
 */
export async function exchange(request: Exchange, line: Line): Promise<Answer> {
  let { url } = request;
  let headers = request.headers ?? {};
  for (let redirects = 0; ; redirects += 1) {
    const answer = await tryTwice({ ...request, url, headers }, line);
    const [location] = answer.header('location');
    const redirected = answer.status >= 301 && answer.status <= 308 && location !== undefined;
    if (!redirected || (request.method !== 'GET' && request.method !== 'HEAD')) return answer;
    const target = new URL(location, url);
    if (redirects === mostRedirects) throw unavailable(`${nameOf(request)}: redirected too often`);
    if (url.protocol === 'https:' && target.protocol !== 'https:')
      throw unavailable(`${nameOf(request)}: redirected from HTTPS to ${target.protocol}//${target.host}`);
    if (target.origin !== url.origin) headers = without(headers, 'authorization');
    url = target;
  }
}

/** `GET https://ghcr.io/v2/acme/app/manifests/latest`: no query, which can hold a secret. */
export function nameOf({ method, url }: Exchange): string {
  return `${method} ${url.origin}${url.pathname}`;
}

async function tryTwice(request: Exchange, line: Line): Promise<Answer> {
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

async function once({ method, url, headers, body }: Exchange, line: Line): Promise<Answer> {
  const answer = await line.dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: { 'user-agent': `tekton-chains/${version}`, ...headers },
    body: body ?? null,
    headersTimeout: silence,
    bodyTimeout: silence,
    signal: line.signal ?? null,
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > longestAnswer) throw new Error(`the answer is longer than ${longestAnswer} bytes`);
  }
  return {
    status: answer.statusCode,
    header: (name) => [answer.headers[name] ?? []].flat(),
    body: Buffer.concat(chunks),
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
