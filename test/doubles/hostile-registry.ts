import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';

/** What a hostile registry does; `forgetful` takes what is written and never shows it, as all do beside their own attack. */
export type Attack =
  | 'silent'
  | 'slow-body'
  | 'slow-header'
  | 'scopes'
  | 'manifest'
  | 'deep'
  | 'token'
  | 'pages'
  | 'location'
  | 'redirect'
  | 'link'
  | 'realm'
  | 'forgetful';

/** Many hostile registries behind one proxy, and inner hosts that are to stay unvisited. */
export interface HostileRegistries {
  /** The HTTP proxy that leads to them; a name of the registry's host begins with its attack: `silent-2.hostile.test`. */
  readonly proxy: string;
  /** Requests to hosts of an attack. */
  asked(attack: Attack): number;
  /** Manifests that were pushed to hosts of an attack. */
  pushed(attack: Attack): number;
  /** Requests to any host that no registry may lead to. */
  innerVisits(): number;
  close(): Promise<void>;
}

/** The media type of an image's manifest. */
export const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** The manifest that every one of them has, and its digest. */
export const hostileImage = image('hostile');

/** A manifest that says nothing but its name. */
export function image(name: string): { readonly bytes: Buffer; readonly digest: string } {
  const json = { schemaVersion: 2, mediaType: manifestType, annotations: { name } };
  const bytes = Buffer.from(JSON.stringify(json));
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

const indexType = 'application/vnd.oci.image.index.v1+json';
const inner = ['10.0.0.1', '169.254.169.254', '127.0.0.1', 'localhost'];
/** A byte every so many milliseconds. */
const drip = 5_000;
const [mebibyte, hugeManifest] = [1024 * 1024, 63];
const deepJson = Buffer.alloc(3 * mebibyte, '[');
const tokenJson = Buffer.from(JSON.stringify({ token: 'x'.repeat(30 * mebibyte), expires_in: 1e12 }));

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** How many requests this attack has had. */
  readonly turn: number;
}

/** Whether it has answered, or will never do so. */
type Answerer = (asked: Asked) => boolean;

const attacks: Readonly<Record<Attack, Answerer>> = {
  silent: () => true,
  'slow-body': ({ response }) => {
    response.writeHead(200, { 'content-type': manifestType, 'content-length': 4_096 });
    return dripping(response, () => void response.write(' '));
  },
  'slow-header': ({ request, response }) => {
    request.socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
    return dripping(response, () => void request.socket.write('x'));
  },
  scopes: ({ response, url, turn }) =>
    url.pathname === '/token'
      ? answer(response, 200, { token: `token-${turn}` })
      : challenge(response, `${url.origin}/token`, turn),
  manifest: ({ request, response, url }) => {
    if (!isRead(request, url, 'manifests')) return false;
    response.writeHead(200, { 'content-type': manifestType });
    Readable.from(hugeJson(), { highWaterMark: 1 }).pipe(response);
    return true;
  },
  deep: ({ response, url }) => {
    if (!url.pathname.includes('/referrers/')) return false;
    response.writeHead(200, { 'content-type': indexType }).end(deepJson);
    return true;
  },
  token: ({ response, url }) => {
    if (url.pathname !== '/token') return challenge(response, `${url.origin}/token`, 0);
    response.writeHead(200, { 'content-type': 'application/json' }).end(tokenJson);
    return true;
  },
  pages: ({ response, url, turn }) => {
    if (!url.pathname.includes('/referrers/')) return false;
    const manifests = [
      { mediaType: manifestType, digest: image(String(turn)).digest, size: 2, artifactType: 'x/y' },
    ];
    const next = `<${url.pathname}?page=${turn}>; rel="next"`;
    return answer(response, 200, { schemaVersion: 2, manifests }, { 'content-type': indexType, link: next });
  },
  location: ({ request, response }) =>
    request.method === 'POST' && answer(response, 202, {}, { location: 'http://10.0.0.1/upload' }),
  redirect: ({ request, response, url }) =>
    isRead(request, url, 'manifests') &&
    answer(response, 307, {}, { location: 'http://169.254.169.254/latest/meta-data' }),
  link: ({ response, url }) =>
    url.pathname.includes('/referrers/') &&
    answer(
      response,
      200,
      { schemaVersion: 2, manifests: [] },
      { 'content-type': indexType, link: '<http://127.0.0.1/next>; rel="next"' },
    ),
  realm: ({ response }) => challenge(response, 'http://10.0.0.1/token', 0),
  // Without the referrers API what refers to an image is written under a tag, and looked for there.
  forgetful: ({ response, url }) => url.pathname.includes('/referrers/') && answer(response, 404, {}),
};

/** Starts them on a free port of the loopback interface. */
export async function startHostileRegistries(): Promise<HostileRegistries> {
  const asked = new Map<string, number>();
  const pushed = new Map<string, number>();
  let visits = 0;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'hostile.test'}`);
    if (inner.includes(url.hostname)) visits += 1;
    const name = attackOf(url);
    request.resume().once('end', () => {
      const turn = (asked.get(name) ?? 0) + 1;
      asked.set(name, turn);
      if (request.method === 'PUT' && url.pathname.includes('/manifests/'))
        pushed.set(name, (pushed.get(name) ?? 0) + 1);
      const isAttack = Object.hasOwn(attacks, name);
      // Each is found by its first answer, unless it is the one that wants a token.
      const isGreeting = url.pathname === '/v2/' && !['scopes', 'token', 'realm'].includes(name);
      const done = isAttack && !isGreeting && attacks[name as Attack]({ request, response, url, turn });
      if (!done) forget(request, response, url);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)));
  });
  server.on('connect', (_request, socket: Socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    server.emit('connection', socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    proxy: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: (attack) => asked.get(attack) ?? 0,
    pushed: (attack) => pushed.get(attack) ?? 0,
    innerVisits: () => visits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** `slow-body` of `slow-body-3.hostile.test` */
function attackOf({ hostname }: URL): string {
  return /^([a-z]+(?:-[a-z]+)?)/.exec(hostname)?.[1] ?? '';
}

/** Takes every write, and shows nothing but the one image. */
function forget(request: IncomingMessage, response: ServerResponse, url: URL): void {
  const { pathname } = url;
  if (pathname === '/v2/') answer(response, 200, {});
  else if (pathname.endsWith(`/manifests/${hostileImage.digest}`))
    response.writeHead(200, { 'content-type': manifestType }).end(hostileImage.bytes);
  else if (pathname.includes('/referrers/'))
    answer(response, 200, { schemaVersion: 2, manifests: [] }, { 'content-type': indexType });
  else if (request.method === 'POST') answer(response, 202, {}, { location: `${pathname}upload` });
  else answer(response, request.method === 'PUT' ? 201 : 404, {});
}

function answer(
  response: ServerResponse,
  status: number,
  json: object,
  headers: Readonly<Record<string, string>> = {},
): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(json));
  return true;
}

function challenge(response: ServerResponse, realm: string, turn: number): true {
  const scope = `repository:acme/app-${turn}:pull,push`;
  return answer(response, 401, {}, { 'www-authenticate': `Bearer realm="${realm}",scope="${scope}"` });
}

function isRead({ method }: IncomingMessage, { pathname }: URL, kind: string): boolean {
  return method === 'GET' && pathname.includes(`/${kind}/`);
}

function dripping(response: ServerResponse, once: () => void): true {
  const timer = setInterval(once, drip);
  response.once('close', () => clearInterval(timer));
  return true;
}

/** Real JSON of a manifest with very many layers, a mebibyte at a time. */
function* hugeJson(): Generator<string> {
  const layers = `{"size":1},`.repeat(mebibyte / 11);
  yield '{"schemaVersion":2,"layers":[';
  for (let index = 0; index < hugeManifest; index += 1) yield layers;
  yield '{}]}';
}
