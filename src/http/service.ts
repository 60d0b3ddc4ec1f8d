import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { type Json, parseJson } from '../json.ts';
import { userAgent } from '../version.ts';
import { readBody } from './body.ts';
import type { Failures } from './failures.ts';
import { Connections } from './connections.ts';

/** What a TLS connection needs besides node's own CAs. */
export interface ServiceTls {
  readonly ca?: string[];
  readonly rejectUnauthorized?: boolean;
}

/** How to talk to one service. */
export interface ServiceOptions {
  /** How its failures are reported. */
  readonly failures: Failures;
  /** Finds the service's own words in the answer to a call that failed. */
  readonly reasonIn: (answer: ServiceAnswer) => string;
  readonly tls?: ServiceTls;
  /** Milliseconds for a call, its answer included; unless given, the call's signal says when to stop. */
  readonly timeout?: number | undefined;
  /** Milliseconds to wait for an answer, and between two pieces of it. */
  readonly silence?: number | undefined;
  /** An answer that is longer is broken off. In bytes; unless given, as long as a page of a list with payloads of some MiB. */
  readonly longestAnswer?: number;
  /** Connections to one host, where the usual number is too few: answers that take long by design. */
  readonly connections?: number | undefined;
}

/** A call to a service. */
export interface ServiceCall {
  /** For messages: `publish to projects/p/topics/t`. */
  readonly what: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  /** Unless they say otherwise, JSON is accepted, and a body of text is JSON. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The statuses besides 2xx that are an answer here; every other one is an error. */
  readonly expects?: readonly number[];
  /** What to do about a refusal for want of a permission (401, 403). */
  readonly hint?: string | undefined;
}

/** A whole answer. */
export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly bytes: Uint8Array;
  /** The bytes as JSON; undefined when they are none, as those of a proxy's page. */
  readonly body: Json | undefined;
}

/** Connections to one service. */
export interface Service {
  /**
   * Makes a call and reads the whole answer.
   * @throws ChainsError of the failures' codes, with `status` and `retryAfter` where the service said so; the signal's
   * reason when that ends.
   */
  call(call: ServiceCall): Promise<ServiceAnswer>;
  close(): Promise<void>;
}

const connectTimeout = 10_000;

/** Opens connections by the proxy of `HTTPS_PROXY` or `HTTP_PROXY` and `NO_PROXY`, where there is one. */
export function openService(options: ServiceOptions): Service {
  const { failures, reasonIn, tls = {}, timeout, silence, longestAnswer = 64 * 1024 * 1024 } = options;
  const more = options.connections === undefined ? {} : { connections: options.connections };
  const connect = { ...tls, timeout: Math.min(silence ?? connectTimeout, connectTimeout) };
  const connections = new Connections({
    connect,
    headersTimeout: silence ?? 0,
    bodyTimeout: silence ?? 0,
    ...more,
  });

  async function attempt(call: ServiceCall, signal: AbortSignal | undefined): Promise<ServiceAnswer> {
    signal?.throwIfAborted();
    const url = URL.parse(call.url);
    if (url === null) throw failures.unusable(`${call.what}: the address that it is sent to is not a URL`);
    try {
      return await exchange(connections.to(url), url, call, { longestAnswer, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw failures.unanswered(call.what, error);
    }
  }

  return {
    async call(call) {
      const { what, signal, expects = [], hint } = call;
      const answer =
        timeout === undefined
          ? await attempt(call, signal)
          : await failures.within(timeout, what, signal, (either) => attempt(call, either));
      const { status, headers } = answer;
      if ((status >= 200 && status < 300) || expects.includes(status)) return answer;
      throw failures.refusal(what, status, reasonIn(answer), {
        retryAfter: headers['retry-after'],
        hint: status === 401 || status === 403 ? hint : undefined,
      });
    },
    close: () => connections.close(),
  };
}

async function exchange(
  dispatcher: Dispatcher,
  { origin, pathname, search }: URL,
  { method, headers, body }: ServiceCall,
  { longestAnswer, signal }: { longestAnswer: number; signal: AbortSignal | undefined },
): Promise<ServiceAnswer> {
  const answer = await dispatcher.request({
    origin,
    path: pathname + search,
    method,
    headers: {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    body: body ?? null,
    signal: signal ?? null,
  });
  const bytes = await readBody(answer, longestAnswer);
  // Until the next turn undici takes the connection for busy, and a call that follows at once would make another one.
  await nextTurn();
  return {
    status: answer.statusCode,
    headers: answer.headers,
    bytes,
    get body() {
      return readJson(bytes);
    },
  };
}

function readJson(bytes: Uint8Array): Json | undefined {
  try {
    return parseJson(Buffer.from(bytes).toString('utf8'));
  } catch {
    // Not every answer is JSON, and where one must be, its reader says so.
    return undefined;
  }
}

/** The texts among the values that a service may have put its reason into. */
export function words(values: readonly (Json | undefined)[]): string {
  return values.filter((value) => typeof value === 'string').join(': ');
}
