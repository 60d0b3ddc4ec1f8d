import { request } from 'undici';
import { type Listener, listen, type Request } from './listener.ts';

export type { Request as GateRequest } from './listener.ts';

/** What is answered: JSON, or bytes. */
export interface GateAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
}

/** What answers requests. */
export type Respond = (request: Request) => GateAnswer | Promise<GateAnswer>;

/** What is wrong with the way to a service. */
export interface Trouble {
  /** What happens to the next requests that count, instead of what should. */
  readonly happens: GateAnswer | 'hangs' | 'breaks' | 'breaks after it is done';
  times: number;
  /** Which requests count; all without it. */
  readonly when?: (request: Request) => boolean;
}

/** An HTTP server, over TLS where it has a certificate, that counts what comes and can be troubled. */
export interface Gate extends Pick<Listener, 'port' | 'url' | 'close'> {
  readonly requests: Request[];
  trouble: Trouble | undefined;
}

/** Opens a gate on a free port of the loopback interface. */
export async function openGate(
  respond: Respond,
  tls?: { readonly cert: string; readonly key: string },
): Promise<Gate> {
  const listener = await listen(async (received, response) => {
    gate.requests.push(received);
    const happens = happening(gate.trouble, received);
    if (happens === 'hangs') return;
    if (happens === 'breaks') {
      response.destroy();
      return;
    }
    const answer =
      typeof happens === 'object'
        ? happens
        : await Promise.resolve()
            .then(() => respond(received))
            .catch((error: unknown): GateAnswer => ({ status: 500, json: { error: String(error) } }));
    if (happens === 'breaks after it is done') {
      response.destroy();
      return;
    }
    const bytes = answer.bytes ?? (answer.json === undefined ? '' : JSON.stringify(answer.json));
    response.writeHead(answer.status, {
      ...(answer.json === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' }),
      ...answer.headers,
    });
    response.end(bytes);
  }, tls);
  const gate: Gate = { ...listener, requests: [], trouble: undefined };
  return gate;
}

function happening(trouble: Trouble | undefined, request: Request): Trouble['happens'] | undefined {
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
