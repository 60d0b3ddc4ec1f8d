import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parseJson, type Json } from '../../src/model/json.ts';
import type { Pair } from '../kubernetes/certificates.ts';

/** A request as it came. */
export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What is answered: JSON, or text. */
export interface Answer {
  readonly status: number;
  readonly json?: Json;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Something in the way of requests. Given a request, it says what becomes of it instead, or undefined to let it pass. */
export type Trouble = (request: Request) => Answer | 'hang' | 'hang up' | undefined;

/** A web server with something that can be in its way. */
export interface Web {
  readonly port: number;
  readonly url: string;
  /** Every request that came, those that met trouble too. */
  readonly requests: readonly Request[];
  trouble: Trouble | undefined;
  close(): Promise<void>;
}

/** Starts a server on a free port of the loopback interface: with TLS, where it has a certificate. */
export async function startWeb(respond: (request: Request) => Answer, pair?: Pair): Promise<Web> {
  const requests: Request[] = [];
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    const host = incoming.headers.host ?? '';
    const request = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '', `http://${host}`),
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    requests.push(request);
    const met = web.trouble?.(request) ?? respond(request);
    if (met === 'hang') return;
    if (met === 'hang up') {
      incoming.socket.destroy();
      return;
    }
    const { status, json, text, headers = {} } = met;
    if (json === undefined) outgoing.writeHead(status, headers).end(text);
    else
      outgoing
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(json));
  };
  const listener: RequestListener = (incoming, outgoing) => void handle(incoming, outgoing);
  const server = pair === undefined ? createServer(listener) : createTlsServer(pair, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const web: Web = {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    trouble: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return web;
}

/** The JSON of a body; undefined when it is none. */
export function jsonOf(body: Buffer): Json | undefined {
  try {
    return parseJson(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Meets the first requests that `counts` counts with `give`, and lets all others pass. */
export function firstly(
  give: ReturnType<Trouble>,
  times = 1,
  counts: (request: Request) => boolean = () => true,
): Trouble {
  let left = times;
  return (request) => {
    if (left === 0 || !counts(request)) return undefined;
    left -= 1;
    return give;
  };
}
