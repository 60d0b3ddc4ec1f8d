import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'undici';
import { at, type JsonObject } from '../../src/json.ts';

/** An API server that a suite runs on. */
export interface ApiServer {
  readonly url: string;
  readonly token: string;
  /** PEM of what signed its certificate; none for plain HTTP. */
  readonly ca?: string;
  close(): Promise<void>;
}

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

/** What a request has beside method and path. */
export interface CallOptions {
  readonly body?: JsonObject | readonly JsonObject[] | string;
  readonly type?: string;
  readonly accept?: string;
  readonly token?: string;
}

/** Bare requests to an API server, and watches. */
export class ApiClient {
  readonly #server: ApiServer;
  readonly #agent: Agent;

  constructor(server: ApiServer) {
    this.#server = server;
    this.#agent = new Agent(server.ca === undefined ? {} : { connect: { ca: server.ca } });
  }

  async call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: CallOptions = {},
  ): Promise<Answer> {
    const {
      body,
      type = 'application/json',
      accept = 'application/json',
      token = this.#server.token,
    } = options;
    const response = await request(this.#server.url + path, {
      method,
      dispatcher: this.#agent,
      headers: {
        accept,
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      body: body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: text.startsWith('{') ? JSON.parse(text) : { text } };
  }

  /** Calls, and fails the test unless the answer has this status. */
  async expect(status: number, ...call: Parameters<ApiClient['call']>): Promise<JsonObject> {
    const answer = await this.call(...call);
    assert.equal(
      answer.status,
      status,
      `${call[0]} ${call[1]}: ${JSON.stringify(answer.body).slice(0, 600)}`,
    );
    return answer.body;
  }

  /** Opens a watch. */
  async watch(path: string): Promise<Watch> {
    const stop = new AbortController();
    const response = await request(this.#server.url + path, {
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.#server.token}`, accept: 'application/json' },
      signal: stop.signal,
    });
    return new Watch(response.statusCode, response.body, () => stop.abort());
  }

  /** A new namespace, so that tests see nothing of each other. */
  async namespace(): Promise<string> {
    const name = `test-${randomBytes(4).toString('hex')}`;
    await this.expect(201, 'POST', '/api/v1/namespaces', { body: { metadata: { name } } });
    return name;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** An open watch. */
export class Watch {
  readonly status: number;
  readonly #lines: AsyncIterator<string>;
  readonly #stop: () => void;

  constructor(status: number, body: AsyncIterable<Buffer>, stop: () => void) {
    this.status = status;
    this.#lines = lines(body);
    this.#stop = stop;
  }

  /** The next event; undefined when the server ends the watch. */
  async next(): Promise<JsonObject | undefined> {
    const { done, value } = await this.#lines.next();
    return done === true ? undefined : JSON.parse(value);
  }

  /** The next so many events as `TYPE name`, bookmarks left out. */
  async names(count: number): Promise<readonly string[]> {
    const names: string[] = [];
    while (names.length < count) {
      const event = await this.next();
      assert.ok(event, 'the watch ended early');
      if (event['type'] !== 'BOOKMARK')
        names.push(`${String(event['type'])} ${String(at(event, 'object', 'metadata', 'name'))}`);
    }
    return names;
  }

  close(): void {
    this.#stop();
  }
}

async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  let rest = '';
  try {
    for await (const chunk of body) {
      const [...parts] = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  }
  return undefined;
}
