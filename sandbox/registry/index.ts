import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { portOf } from '../port.ts';
import { Contents } from './contents.ts';
import { RegistryFaults, type RegistryRequest } from './faults.ts';
import { Guard, type GuardOptions } from './guard.ts';
import { Refusal, unknown } from './refusal.ts';
import { type RegistryAnswer, type RegistryBacking, route } from './routes.ts';

export type { GuardOptions, RegistryUser } from './guard.ts';

/** How a registry of the sandbox is to behave. */
export interface SandboxRegistryOptions {
  /** Port on loopback; any free one by default. */
  readonly port?: number;
  /** False: no referrers API, as older registries. */
  readonly referrers?: boolean;
  /** Who may do what; everybody everything by default. */
  readonly guard?: GuardOptions;
  /** PEM; plain HTTP by default. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The longest body of a request, as proxies have it; longer ones are answered with 413. In bytes. */
  readonly bodyLimit?: number;
}

/** An OCI registry in this process, in memory. */
export interface SandboxRegistry {
  /** `localhost:5000` */
  readonly host: string;
  readonly faults: RegistryFaults;
  /** Undefined where everybody may do everything. */
  readonly guard: Guard | undefined;
  /** All requests, oldest first. */
  readonly requests: readonly (RegistryRequest & { readonly status: number })[];
  /** A repository, without HTTP. */
  readonly contents: (name: string) => Contents;
  close(): Promise<void>;
}

/** Starts a registry on loopback (OCI distribution specification 1.1, with distribution's token authentication). */
export async function startRegistry(options: SandboxRegistryOptions = {}): Promise<SandboxRegistry> {
  const repositories = new Map<string, Contents>();
  const contents = (name: string): Contents => {
    const found = repositories.get(name) ?? new Contents();
    repositories.set(name, found);
    return found;
  };
  const faults = new RegistryFaults();
  const guard = options.guard === undefined ? undefined : new Guard(options.guard);
  const requests: (RegistryRequest & { status: number })[] = [];
  const backing = { contents, referrers: options.referrers ?? true };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const scheme = options.tls === undefined ? 'http' : 'https';
    const url = new URL(request.url ?? '/', `${scheme}://${request.headers.host ?? 'localhost'}`);
    const about = { method: request.method ?? 'GET', path: url.pathname };
    void serve({ request, response, url, about, faults, guard, backing, limit: options.bodyLimit }).then(
      (status) => requests.push({ ...about, status }),
      // The client is gone.
      () => request.socket.destroy(),
    );
  };
  const server =
    options.tls === undefined ? createServer(listener) : createSecureServer(options.tls, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    host: `localhost:${portOf(server.address())}`,
    faults,
    guard,
    requests,
    contents,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly about: RegistryRequest;
  readonly faults: RegistryFaults;
  readonly guard: Guard | undefined;
  readonly backing: RegistryBacking;
  readonly limit: number | undefined;
}

/** Answers one request and gives the status; 0 where the connection breaks instead. */
async function serve(served: Served): Promise<number> {
  const { request, response, about, faults } = served;
  const struck = faults.for(about);
  const body = await bodyOf(request);
  for (const fault of struck) if (fault.kind === 'latency') await pause(fault.milliseconds);
  if (struck.some((fault) => fault.kind === 'broken' && fault.when === 'before')) {
    request.socket.resetAndDestroy();
    return 0;
  }
  const refused = struck.find((fault) => fault.kind === 'status');
  const answer = attempt(() => {
    if (refused === undefined) return answerTo(served, body);
    const after = refused.retryAfter === undefined ? {} : { 'retry-after': String(refused.retryAfter) };
    throw new Refusal(refused.code, 'FAULT', 'a fault on demand', after);
  });
  const lies = struck.some((fault) => fault.kind === 'lie');
  const content = lies && answer.body !== undefined ? Buffer.from(answer.body).fill('x', 0, 1) : answer.body;
  const length = { 'content-length': String(content?.length ?? 0) };
  response.writeHead(answer.status, {
    'docker-distribution-api-version': 'registry/2.0',
    ...answer.headers,
    ...length,
  });
  if (struck.some((fault) => fault.kind === 'broken' && fault.when === 'answering')) {
    response.write(content?.subarray(0, content.length / 2) ?? '');
    response.flushHeaders();
    await pause(5);
    request.socket.destroy();
    return 0;
  }
  response.end(about.method === 'HEAD' ? undefined : content);
  return answer.status;
}

function attempt(work: () => RegistryAnswer): RegistryAnswer {
  try {
    return work();
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(500, 'UNKNOWN', String(error));
    const headers = { 'content-type': 'application/json', ...refusal.headers };
    return { status: refusal.status, headers, body: Buffer.from(refusal.json()) };
  }
}

function answerTo({ request, url, about, guard, backing, limit }: Served, body: Buffer): RegistryAnswer {
  const { authorization } = request.headers;
  if (limit !== undefined && body.length > limit)
    throw new Refusal(413, 'SIZE_INVALID', 'the body is too long');
  if (url.pathname === '/token' && guard !== undefined) {
    const posted = about.method === 'POST' ? new URLSearchParams(body.toString('utf8')) : url.searchParams;
    return json(guard.token(authorization, posted));
  }
  const realm = `${url.origin}/token`;
  const path = /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs|referrers|tags)\/([^/]*)$/.exec(url.pathname);
  const [, name = '', kind = '', reference = ''] = path ?? [];
  const from = url.searchParams.get('from') ?? undefined;
  guard?.admit(authorization, { repository: name, from, method: about.method, realm });
  if (url.pathname === '/v2/') return json({});
  if (path === null) throw unknown('NAME');
  const headers = {
    accept: request.headers.accept,
    'content-type': request.headers['content-type'],
    'content-range': request.headers['content-range'],
  };
  return route(
    { method: about.method, name, kind, reference, query: url.searchParams, headers, body },
    backing,
  );
}

function json(value: object): RegistryAnswer {
  const headers = { 'content-type': 'application/json' };
  return { status: 200, headers, body: Buffer.from(JSON.stringify(value)) };
}

async function bodyOf(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
