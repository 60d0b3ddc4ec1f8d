import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { request } from 'undici';

/** A request as it came. */
export interface GateRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What is answered: JSON, or bytes. */
export interface GateAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
}

/** What answers requests. */
export type Respond = (request: GateRequest) => GateAnswer | Promise<GateAnswer>;

/** What is wrong with the way to a service. */
export interface Trouble {
  /** What happens to the next requests that count, instead of what should. */
  readonly happens: GateAnswer | 'hangs' | 'breaks' | 'breaks after it is done';
  times: number;
  /** Which requests count; all without it. */
  readonly when?: (request: GateRequest) => boolean;
}

/** An HTTP server, over TLS where it has a certificate, that counts what comes and can be troubled. */
export interface Gate {
  readonly port: number;
  readonly url: string;
  readonly requests: GateRequest[];
  trouble: Trouble | undefined;
  close(): Promise<void>;
}

/** Opens a gate on a free port of the loopback interface. */
export async function openGate(
  respond: Respond,
  tls?: { readonly cert: string; readonly key: string },
): Promise<Gate> {
  const sockets = new Set<Socket>();
  async function listener(...[incoming, response]: Parameters<RequestListener>): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    const received: GateRequest = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '/', `http://${incoming.headers.host ?? 'localhost'}`),
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    gate.requests.push(received);
    const happens = happening(gate.trouble, received);
    if (happens === 'hangs') return;
    if (happens === 'breaks') return void incoming.socket.destroy();
    const answer =
      typeof happens === 'object'
        ? happens
        : await Promise.resolve()
            .then(() => respond(received))
            .catch((error: unknown): GateAnswer => ({ status: 500, json: { error: String(error) } }));
    if (happens === 'breaks after it is done') return void incoming.socket.destroy();
    const bytes = answer.bytes ?? (answer.json === undefined ? '' : JSON.stringify(answer.json));
    response.writeHead(answer.status, {
      ...(answer.json === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' }),
      ...answer.headers,
    });
    response.end(bytes);
  }
  const listen: RequestListener = (...call) => void listener(...call).catch(() => call[0].destroy());
  const server = tls === undefined ? createServer(listen) : createTlsServer(tls, listen);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const gate: Gate = {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests: [],
    trouble: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return gate;
}

function happening(trouble: Trouble | undefined, request: GateRequest): Trouble['happens'] | undefined {
  if (trouble === undefined || trouble.times === 0 || trouble.when?.(request) === false) return undefined;
  trouble.times -= 1;
  return trouble.happens;
}

/** Hands requests on to a server on the loopback interface. */
export function handOn(port: number): Respond {
  return async ({ method, url, headers, body }) => {
    const { 'transfer-encoding': _, connection: __, ...kept } = headers;
    const answer = await request(`http://127.0.0.1:${port}${url.pathname}${url.search}`, {
      method,
      headers: kept,
      body: body.length === 0 ? null : body,
    });
    const given = Object.entries(answer.headers).filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && !['transfer-encoding', 'connection'].includes(entry[0]),
    );
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(given),
      bytes: await answer.body.bytes(),
    };
  };
}
