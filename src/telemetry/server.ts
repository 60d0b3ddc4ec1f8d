import { once } from 'node:events';
import { createServer } from 'node:http';
import { ChainsError, reasonOf } from '../errors.ts';
import type { Health } from './health.ts';
import { plainText } from './text.ts';

/** The response of a path. */
interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

type Paths = Readonly<Record<string, () => Page | Promise<Page>>>;

/** A server that listens. */
export interface TelemetryServer {
  /** The port it listens on: a free one when 0 was asked for. */
  readonly port: number;
  /** Stops listening and ends what is open. */
  close(): Promise<void>;
}

/** Where to listen. */
export interface ListenOptions {
  /** 0 picks a free port. */
  readonly port: number;
  /** The address; all of them by default, since requests come from outside the pod. */
  readonly host?: string;
}

/**
 * Serves `/metrics`.
 * @throws ChainsError USAGE when the port can't be opened.
 */
export function serveMetrics(
  where: ListenOptions,
  page: () => Promise<{ readonly contentType: string; readonly body: string }>,
): Promise<TelemetryServer> {
  return serve('metrics', where, { '/metrics': async () => ({ status: 200, ...(await page()) }) });
}

/**
 * Serves `/healthz` (is the process alive?) and `/readyz` (can it work?): 200 when every check is ok, else 503, and
 * a line for each check.
 * @throws ChainsError USAGE when the port can't be opened.
 */
export function serveHealth(where: ListenOptions, live: Health, ready: Health): Promise<TelemetryServer> {
  return serve('health', where, { '/healthz': () => answer(live), '/readyz': () => answer(ready) });
}

function answer(health: Health): Page {
  const { checks } = health;
  const isOk = checks.every(({ trouble }) => trouble === undefined);
  const lines = checks.map(({ name, trouble, note }) =>
    trouble === undefined
      ? `[+] ${name} ok${note === undefined ? '' : `: ${plainText(note)}`}`
      : `[-] ${name}: ${plainText(trouble)}`,
  );
  return text(isOk ? 200 : 503, [...lines, isOk ? 'ok' : 'not ok'].join('\n'));
}

function text(status: number, body: string): Page {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}

async function serve(
  name: 'metrics' | 'health',
  { port, host }: ListenOptions,
  paths: Paths,
): Promise<TelemetryServer> {
  const server = createServer((request, response) => {
    void respond(paths, request.method, request.url).then(({ status, contentType, body }) => {
      response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  });
  try {
    server.listen({ port, host });
    await once(server, 'listening');
  } catch (error) {
    throw refused(name, port, error);
  }
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(paths: Paths, method = '', url = ''): Promise<Page> {
  const [path = ''] = url.split('?');
  const handler = Object.hasOwn(paths, path) ? paths[path] : undefined;
  if (handler === undefined) return text(404, `not found; here are ${Object.keys(paths).join(' and ')}`);
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET is answered here');
  try {
    return await handler();
  } catch (error) {
    return text(500, plainText(reasonOf(error)));
  }
}

function refused(name: string, port: number, error: unknown): ChainsError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const wrong = code === 'EADDRINUSE' ? 'is in use' : `can't be opened (${reasonOf(error)})`;
  const message = `port ${port} for ${name} ${wrong}: choose another with --${name}-port, or 0 for any that is free`;
  return new ChainsError('USAGE', message, { cause: error });
}
