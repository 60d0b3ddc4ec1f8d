import { parseJson, type Json } from '../../src/json.ts';
import type { Pair } from '../kubernetes/certificates.ts';
import { type Listener, listen, type Request } from './listener.ts';

export type { Request } from './listener.ts';

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
export interface Web extends Pick<Listener, 'port' | 'url' | 'close'> {
  /** Every request that came, those that met trouble too. */
  readonly requests: readonly Request[];
  trouble: Trouble | undefined;
}

/** Starts a server on a free port of the loopback interface: with TLS, where it has a certificate. */
export async function startWeb(respond: (request: Request) => Answer, pair?: Pair): Promise<Web> {
  const requests: Request[] = [];
  const listener = await listen(async (request, response) => {
    requests.push(request);
    const met = web.trouble?.(request) ?? respond(request);
    if (met === 'hang') return;
    if (met === 'hang up') {
      response.destroy();
      return;
    }
    const { status, json, text, headers = {} } = met;
    if (json === undefined) response.writeHead(status, headers).end(text);
    else
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(json));
  }, pair);
  const web: Web = { ...listener, requests, trouble: undefined };
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
