import { setTimeout as pause } from 'node:timers/promises';
import type { Lie } from './keys.ts';
import { type Listener, listen, type Request as Received } from './listener.ts';

/** A request as it came. */
export interface Request extends Omit<Received, 'body'> {
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
export interface Service extends Omit<Listener, 'url'> {
  readonly trouble: Trouble;
  readonly requests: readonly Request[];
}

/** Starts a service on a free port of the loopback interface. */
export async function startService(
  respond: (request: Request) => Answer | Promise<Answer>,
  { tls }: { tls?: { readonly cert: string; readonly key: string } } = {},
): Promise<Service> {
  const requests: Request[] = [];
  const trouble: Trouble = {};
  const listener = await listen(async (received, response) => {
    const request: Request = { ...received, body: received.body.toString('utf8') };
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
  }, tls);
  return { ...listener, trouble, requests };
}
