import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { type Json, parseJson } from '../../model/json.ts';
import { version } from '../../model/version.ts';
import { refusal, unanswered, unreadable } from './failures.ts';

/** Larger than any answer of a KMS. In bytes. */
const longestAnswer = 1024 * 1024;

/** What a TLS connection needs beside node’s own CAs. */
export interface TlsOptions {
  readonly ca?: string[];
  readonly rejectUnauthorized?: boolean;
}

/** A call to a service that speaks JSON. */
export interface JsonCall {
  /** For messages: `sign with hashivault://chains`. */
  readonly what: string;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** An answer, whatever its status. */
export interface JsonAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  /** Undefined when it is no JSON. */
  readonly body: Json | undefined;
}

/** The connections to one KMS, by the proxy of `HTTPS_PROXY` or `HTTP_PROXY` and `NO_PROXY` where there is one. */
export function openConnections(tls: TlsOptions = {}): Dispatcher {
  const connect = { ...tls, timeout: 10_000 };
  return new EnvHttpProxyAgent({ connections: 16, allowH2: false, connect, requestTls: connect });
}

/** Calls, and reads the whole answer. @throws ChainsError KMS_UNAVAILABLE when there is none. */
export async function callJson(connections: Dispatcher, call: JsonCall): Promise<JsonAnswer> {
  const { origin, pathname, search } = new URL(call.url);
  try {
    const { statusCode, headers, body } = await connections.request({
      origin,
      path: pathname + search,
      method: call.method,
      headers: {
        accept: 'application/json',
        'user-agent': `tekton-chains/${version}`,
        ...call.headers,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: call.signal,
    });
    const text = await bounded(body);
    // Until the next turn undici takes the connection for busy, and a call that follows at once would make another one.
    await nextTurn();
    return { status: statusCode, headers, body: readJson(text) };
  } catch (error) {
    call.signal.throwIfAborted();
    throw unanswered(call.what, error);
  }
}

/**
 * The JSON of an answer that went well.
 * @param reasonIn finds the service’s own words in the body of another one
 * @throws ChainsError KMS_REFUSED or KMS_UNAVAILABLE otherwise, with the status
 */
export function goodJson(
  what: string,
  { status, headers, body }: JsonAnswer,
  reasonIn: (body: Json | undefined) => readonly (Json | undefined)[],
): Json {
  if (status >= 200 && status < 300) {
    if (body === undefined) throw unreadable(what, 'no JSON');
    return body;
  }
  const words = reasonIn(body).filter((part) => typeof part === 'string');
  throw refusal(what, status, words.join(': '), { retryAfter: headers['retry-after'] });
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
    // The status says what there is to say; a page of a proxy is no use to anybody.
    return undefined;
  }
}
