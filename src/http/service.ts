import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { type Json, parseJson } from '../json.ts';
import { userAgent } from '../version.ts';
import { readBody } from './body.ts';
import type { Failures } from './failures.ts';
import { Connections } from './connections.ts';

/** TLS settings in addition to the CAs of Node.js. */
export interface ServiceTls {
  readonly ca?: string[];
  readonly rejectUnauthorized?: boolean;
}

/** How to talk to one service. */
export interface ServiceOptions {
  /** How its failures are reported. */
  readonly failures: Failures;
  /** Finds the service's reason in the answer to a call that failed. */
  readonly reasonIn: (answer: ServiceAnswer) => string;
  readonly tls?: ServiceTls;
  /** Milliseconds for a call with its answer; unset, only the call's signal ends it. */
  readonly timeout?: number | undefined;
  /** Milliseconds to wait for an answer, and between two pieces of it. */
  readonly silence?: number | undefined;
  /** The maximum length of an answer in bytes; by default enough for a page of a list with payloads of some MiB. */
  readonly longestAnswer?: number;
  /** The maximum number of connections to one host, where answers take long by design. */
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
  /** The statuses that are no errors, in addition to 2xx. */
  readonly expects?: readonly number[];
  /** What to do about a missing permission (401, 403). */
  readonly hint?: string | undefined;
}

/** A whole answer. */
export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly bytes: Uint8Array;
  /** The bytes as JSON; undefined when they are not JSON, such as a proxy's page. */
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
const defaultLongestAnswer = 64 * 1024 * 1024;

/** Opens connections by the proxy of `HTTPS_PROXY` or `HTTP_PROXY` and `NO_PROXY`, where there is one. */
export function openService(options: ServiceOptions): Service {
  const { failures, reasonIn, tls, timeout, silence = 0, longestAnswer = defaultLongestAnswer } = options;
  const connections = new Connections({
    connect: { ...tls, timeout: Math.min(silence || connectTimeout, connectTimeout) },
    headersTimeout: silence,
    bodyTimeout: silence,
    ...(options.connections === undefined ? {} : { connections: options.connections }),
  });

  async function attempt(call: ServiceCall, signal: AbortSignal | undefined): Promise<ServiceAnswer> {
    signal?.throwIfAborted();
    const url = URL.parse(call.url);
    if (url === null) throw failures.unusable(`${call.what}: the address that it is sent to is not a URL`);
    try {
      return await exchange(connections.to(url), url, { ...call, signal }, longestAnswer);
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
  { method, headers, body, signal }: ServiceCall,
  longestAnswer: number,
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
  // Until the next turn undici treats the connection as busy, and a call that follows at once would open another one.
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
    // Not every answer is JSON; whoever needs JSON checks for it.
    return undefined;
  }
}

/** The texts among values that may hold a service's reason. */
export function words(values: readonly (Json | undefined)[]): string {
  return values.filter((value) => typeof value === 'string').join(': ');
}
