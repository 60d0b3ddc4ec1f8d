import type { Dispatcher } from 'undici';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { Access, Connection } from './live-connection.ts';
import { type ApiRequest, describe, queryString } from './call.ts';
import { breakdown, isUntrustedServer, refusal } from './failures.ts';
import { userAgent } from '../version.ts';
import { withoutTrailing } from '../text.ts';

/** What is reported about each call, for metrics. */
export interface ApiCall {
  /** `get`, `list`, `watch`, `create`, `apply`, `patch`, `delete` or `discover`. */
  readonly verb: string;
  /** `plural.group`; the group for `discover`. */
  readonly resource: string;
  readonly status: number | 'error';
  /** Until the answer's headers. */
  readonly milliseconds: number;
}

/**
 * Makes calls over one connection: credentials, errors, and one more try with what is new after a 401 or an unknown CA.
 */
export class Transport {
  readonly #connection: Connection;
  readonly #onCall: ((call: ApiCall) => void) | undefined;
  readonly #timeout: number;
  readonly #origin: string;
  readonly #prefix: string;

  constructor(connection: Connection, onCall: ((call: ApiCall) => void) | undefined, timeout: number) {
    this.#connection = connection;
    this.#onCall = onCall;
    this.#timeout = timeout;
    const server = new URL(connection.server);
    this.#origin = server.origin;
    this.#prefix = withoutTrailing(server.pathname, '/');
  }

  /** Makes a call that is answered with one JSON object. */
  async json(call: ApiRequest): Promise<{ object: JsonObject; bytes: number }> {
    const answer = await this.send(call);
    try {
      const text = await answer.body.text();
      const object: unknown = JSON.parse(text);
      if (!isJsonObject(object)) throw new Error('the answer is not an object');
      return { object, bytes: Buffer.byteLength(text) };
    } catch (error) {
      const cause =
        error instanceof SyntaxError
          ? new Error(`the answer is not JSON (${String(answer.headers['content-type'])})`)
          : error;
      throw this.failure(call, cause);
    }
  }

  /** The answer to a call when its status is 2xx. */
  async send(call: ApiRequest): Promise<Dispatcher.ResponseData> {
    const access = await this.#access(call);
    let answer = await this.#attempt(call, access).catch(async (error: unknown) => {
      if (isUntrustedServer(error) && (await this.#connection.renew(access))) return undefined;
      throw this.failure(call, error);
    });
    if (answer === undefined || (answer.statusCode === 401 && (await this.#connection.renew(access)))) {
      await answer?.body.dump().catch(() => undefined);
      try {
        answer = await this.#attempt(call, await this.#access(call));
      } catch (error) {
        throw this.failure(call, error);
      }
    }
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    const body = await beginning(answer.body);
    throw refusal(describe(call), answer.statusCode, body, answer.headers['retry-after']);
  }

  async #access(call: ApiRequest): Promise<Access> {
    call.signal?.throwIfAborted();
    const authorization = await this.#connection.authorization();
    return { authorization, dispatchers: this.#connection.dispatchers };
  }

  async #attempt(call: ApiRequest, access: Access): Promise<Dispatcher.ResponseData> {
    const started = performance.now();
    let status: number | 'error' = 'error';
    try {
      const { calls, watches } = access.dispatchers;
      const answer = await (call.endless === true ? watches : calls).request({
        origin: this.#origin,
        path: this.#prefix + call.path + queryString(call.query),
        method: call.method,
        headers: {
          accept: call.accept ?? 'application/json',
          'user-agent': userAgent,
          ...(access.authorization === undefined ? {} : { authorization: access.authorization }),
          ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        headersTimeout: this.#timeout,
        bodyTimeout: call.endless === true ? 0 : this.#timeout,
        signal: call.signal ?? null,
      });
      status = answer.statusCode;
      return answer;
    } finally {
      const milliseconds = performance.now() - started;
      this.#onCall?.({ verb: call.verb, resource: call.resource, status, milliseconds });
    }
  }

  /** What to throw for an error: the abort's reason, or a ChainsError. */
  failure(call: ApiRequest, error: unknown): unknown {
    return call.signal?.aborted === true
      ? call.signal.reason
      : breakdown(describe(call), this.#connection.server, error);
  }
}

/** The first 64 KB or so of an error's body; what can't be read is left out, the status has come already. */
async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= 65_536) break;
    }
  } catch {
    // The status alone says enough.
  }
  return Buffer.concat(chunks).toString('utf8');
}
