import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lie } from './keys.ts';

/** A request as it came. */
export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What is answered: JSON, unless `text` is given. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is wrong with a service. */
export interface Trouble {
  /** What it says to every request that counts, as often as `times`. */
  answer?: { readonly give: Answer; times: number } | undefined;
  /** Whether it takes requests and never answers. */
  hang?: boolean;
  /** Milliseconds that every answer takes. */
  delay?: number;
  lie?: Lie | undefined;
  /** Which checksum is wrong, where there are any. */
  checksum?: string | undefined;
}

/** A server over real HTTP, or HTTPS where it has a certificate, that counts what comes. */
export interface Service {
  readonly port: number;
  readonly trouble: Trouble;
  readonly requests: readonly Request[];
  /** The connections that were ever made. */
  readonly connections: () => number;
  /** Stops listening and breaks every connection. */
  close(): Promise<void>;
  /** Listens again at the same port. */
  reopen(): Promise<void>;
}

/** Starts a service on a free port of the loopback interface. */
export async function startService(
  respond: (request: Request) => Answer | Promise<Answer>,
  { tls }: { tls?: { readonly cert: string; readonly key: string } } = {},
): Promise<Service> {
  const requests: Request[] = [];
  const trouble: Trouble = {};
  const sockets = new Set<Socket>();
  let connections = 0;

  async function listener(...[incoming, response]: Parameters<RequestListener>): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    const request: Request = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '/', `http://${incoming.headers.host ?? 'localhost'}`),
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    requests.push(request);
    if (trouble.hang === true) return;
    await pause(trouble.delay ?? 0);
    let answer: Answer;
    if (trouble.answer !== undefined && trouble.answer.times > 0) {
      trouble.answer.times -= 1;
      answer = trouble.answer.give;
    } else {
      answer = await Promise.resolve()
        .then(() => respond(request))
        .catch((error: unknown) => ({ status: 500, text: String(error) }));
    }
    response.writeHead(answer.status, {
      'content-type': answer.text === undefined ? 'application/json' : 'text/plain',
      ...answer.headers,
    });
    response.end(answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json)));
  }
  const server =
    tls === undefined
      ? createServer((...call) => void listener(...call))
      : createTlsServer(tls, (...call) => void listener(...call));
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    trouble,
    requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    reopen: () => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
  };
}
