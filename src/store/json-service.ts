import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { oneLine, readRetryAfter } from '../model/answers.ts';
import { ChainsError, reasonOf } from '../model/errors.ts';
import { at, type Json, parseJson } from '../model/json.ts';
import { version } from '../model/version.ts';
import { within } from './within.ts';

/** A call to a service that speaks JSON over HTTP. */
export interface ServiceCall {
  /** For messages: `publish to projects/p/topics/t`. */
  readonly what: string;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, in UTF-8. */
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** The statuses beside 2xx that are an answer here; every other one is an error. */
  readonly expects?: readonly number[];
}

/** An answer that the call takes for one. */
export interface ServiceAnswer {
  readonly status: number;
  /** Undefined when it is no JSON. */
  readonly body: Json | undefined;
}

/** Connections to one service. */
export interface JsonService {
  /**
   * Makes a call and reads the whole answer.
   * @throws ChainsError STORE_REFUSED, STORE_UNAVAILABLE (with `retryAfter` where the service said so) or, for 413,
   * PAYLOAD_TOO_LARGE
   */
  call(call: ServiceCall): Promise<ServiceAnswer>;
  close(): Promise<void>;
}

/** Longer than a page of a list with payloads of some MiB. In bytes. */
const longestAnswer = 256 * 1024 * 1024;

/** Statuses beside 5xx after which the same call may go well. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Opens connections by the proxy of `HTTPS_PROXY` or `HTTP_PROXY` and `NO_PROXY`, where there is one.
 * @param timeout milliseconds for one call, its answer included
 */
export function openJsonService(timeout: number): JsonService {
  const connections = new EnvHttpProxyAgent({ allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
  return {
    call: (call) =>
      within(timeout, call.what, call.signal, async (signal) => {
        const { status, headers, text } = await answerTo(connections, call, signal);
        const body = readJson(text);
        if ((status >= 200 && status < 300) || call.expects?.includes(status) === true)
          return { status, body };
        throw failure(call.what, status, reasonIn(body) ?? text, headers['retry-after']);
      }),
    close: () => connections.close(),
  };
}

async function answerTo(
  connections: Dispatcher,
  { what, method, url, headers, body }: ServiceCall,
  signal: AbortSignal,
): Promise<{ status: number; headers: Dispatcher.ResponseData['headers']; text: string }> {
  const { origin, pathname, search } = new URL(url);
  try {
    const answer = await connections.request({
      origin,
      path: pathname + search,
      method,
      headers: {
        accept: 'application/json',
        'user-agent': `tekton-chains/${version}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body ?? null,
      signal,
    });
    return { status: answer.statusCode, headers: answer.headers, text: await bounded(answer.body) };
  } catch (error) {
    throw new ChainsError('STORE_UNAVAILABLE', oneLine(`${what}: no answer: ${reasonOf(error)}`), {
      cause: error,
    });
  }
}

/** The error for a status that is no answer. */
export function failure(what: string, status: number, reason: string, retryAfter?: unknown): ChainsError {
  const pause = readRetryAfter(retryAfter, Date.now());
  const details = { status, ...(pause === undefined ? {} : { retryAfter: pause }) };
  const message = oneLine(`${what}: ${status} ${reason.trim() || '(no reason given)'}`);
  if (status === 413) {
    return new ChainsError(
      'PAYLOAD_TOO_LARGE',
      `${message}; choose another store in artifacts.*.storage`,
      details,
    );
  }
  const unavailable = status >= 500 || passing.has(status);
  return new ChainsError(unavailable ? 'STORE_UNAVAILABLE' : 'STORE_REFUSED', message, details);
}

/** The service's own words, as Google's services put them. */
function reasonIn(body: Json | undefined): string | undefined {
  const words = [at(body, 'error', 'status'), at(body, 'error', 'message')];
  const given = words.filter((word) => typeof word === 'string');
  return given.length === 0 ? undefined : given.join(': ');
}

async function bounded(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > longestAnswer) throw new Error(`the answer is longer than ${longestAnswer} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readJson(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    // Not every answer is JSON, and where one must be, its reader says so.
    return undefined;
  }
}
