import { Agent, request } from 'undici';
import { openConnection } from '../src/kubernetes/connection.ts';
import { lines } from '../src/kubernetes/watch-event.ts';
import { isJsonObject, type JsonObject, parseJson } from '../src/json.ts';

/** Calls the API server with nothing between: no retries, no checks beyond the status. */
export interface BareClient {
  /** The parsed answer; rejects with the server's text on any status of 300 and above. */
  send(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: string,
    type?: string,
  ): Promise<JsonObject>;
  /** The lines of a watch from a list's version on, until `signal` aborts. */
  watch(path: string, signal: AbortSignal): AsyncGenerator<string, void>;
  close(): Promise<void>;
}

/** The media types of the two patches that are sent. */
export const mediaTypes = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
} as const;

/** Opens a client as the user of a kubeconfig. */
export async function openBareClient(kubeconfig: string): Promise<BareClient> {
  const connection = await openConnection({ kubeconfig });
  return {
    async send(method, path, body, type = 'application/json') {
      const authorization = await connection.authorization();
      const answer = await request(connection.server + path, {
        method,
        dispatcher: connection.dispatchers.calls,
        headers: {
          'content-type': type,
          accept: type === 'application/json' ? 'application/json' : metadataOnly,
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: body ?? null,
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300)
        throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
      const parsed = parseJson(text);
      return isJsonObject(parsed) ? parsed : {};
    },
    async *watch(path, signal) {
      const authorization = await connection.authorization();
      const answer = await request(connection.server + path, {
        dispatcher: connection.dispatchers.calls,
        headers: { accept: metadataOnly, ...(authorization === undefined ? {} : { authorization }) },
        bodyTimeout: 0,
        signal,
      });
      if (answer.statusCode !== 200)
        throw new Error(`${path}: ${answer.statusCode} ${await answer.body.text()}`);
      for await (const line of lines(answer.body)) yield line.text;
    },
    close: () => connection.close(),
  };
}

const metadataOnly = 'application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadata';

/** A page on loopback, such as the controller's metrics. */
export async function page(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const dispatcher = new Agent({ keepAliveTimeout: 1 });
  try {
    const answer = await request(url, { dispatcher });
    return { status: answer.statusCode, text: await answer.body.text() };
  } finally {
    await dispatcher.close();
  }
}

/** Does something with every item, so many at once. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
