import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Connection } from '../../src/kubernetes/live-connection.ts';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';

/** Answers a request, at once or later. */
export type Listener = (...call: Parameters<RequestListener>) => unknown;

/** Starts a plain server for one test on a free loopback port; gives its URL. */
export async function serve(test: TestContext, listener: Listener): Promise<string> {
  const server = createServer((request, response) => void listener(request, response));
  return serveWith(test, server);
}

/** Starts a plain server that was made by hand; gives its URL. */
export async function serveWith(test: TestContext, server: Server): Promise<string> {
  return `http://127.0.0.1:${await listen(test, server)}`;
}

/** Starts an HTTPS server for one test; gives its port. */
export function serveTls(
  test: TestContext,
  options: ServerOptions,
  listener: RequestListener,
): Promise<number> {
  return listen(test, createTlsServer(options, listener));
}

/** An HTTP proxy for one test: where CONNECT requests wanted to go, and what they carried. */
export interface Proxy {
  readonly url: string;
  readonly tunnels: { readonly target: string; readonly authorization: string | undefined }[];
}

/** Starts a CONNECT proxy that takes every tunnel to `to` (a port), whatever host was asked for. */
export async function serveProxy(test: TestContext, to: number): Promise<Proxy> {
  const tunnels: Proxy['tunnels'] = [];
  const server = createServer();
  server.on('connect', (request, socket) => {
    tunnels.push({ target: request.url ?? '', authorization: request.headers['proxy-authorization'] });
    const onward = connect(to, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => [onward, socket].map((one) => one.destroy()));
    test.after(() => [onward, socket].map((one) => one.destroy()));
  });
  return { url: `http://127.0.0.1:${await listen(test, server)}`, tunnels };
}

async function listen(test: TestContext, server: Server): Promise<number> {
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** A folder for one test. */
export async function folder(test: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'chains-kubernetes-'));
  test.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Writes a file into a folder and gives its path. */
export async function write(path: string, name: string, content: string, mode = 0o600): Promise<string> {
  const file = join(path, name);
  await writeFile(file, content, { mode });
  return file;
}

/** A kubeconfig (JSON is YAML) with one context of one cluster and one user. */
export function kubeconfigOf(cluster: object, user: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'there',
    contexts: [{ name: 'there', context: { cluster: 'here', user: 'somebody' } }],
    clusters: [{ name: 'here', cluster }],
    users: [{ name: 'somebody', user }],
  });
}

/** Opens a connection for one test. */
export async function open(
  test: TestContext,
  kubeconfig: string,
  more: { environment?: NodeJS.ProcessEnv; now?: () => number } = {},
): Promise<Connection> {
  const file = await write(await folder(test), 'config', kubeconfig);
  const connection = await openConnection({ kubeconfig: file, environment: {}, ...more });
  test.after(() => connection.close());
  return connection;
}

/** A client for one test of a plain server. */
export async function restOf(
  test: TestContext,
  server: string,
  options?: ConstructorParameters<typeof Rest>[1],
): Promise<Rest> {
  return new Rest(await open(test, kubeconfigOf({ server }, { token: 'secret' })), options);
}

/** Answers with JSON. */
export function answer(response: ServerResponse, value: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/** Answers with a Kubernetes Status. */
export function refuse(response: ServerResponse, code: number, message: string, headers = {}): void {
  answer(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message }, code, headers);
}

/** The whole body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Waits until a condition holds; a generous bound, so that a failure says what was waited for. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
