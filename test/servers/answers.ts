import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import type { Running } from './process.ts';

const longestWait = 60_000;

/**
 * Waits until something answers at the URL, whatever it says. Stops the program and rejects with its output when it has
 * ended or a minute has passed.
 */
export async function untilAnswers(url: string, server: Running): Promise<void> {
  const deadline = Date.now() + longestWait;
  let ended = false;
  void server.finished.finally(() => (ended = true)).catch(() => {});
  while (!ended && Date.now() < deadline) {
    const answer = await request(url, { headersTimeout: 1_000 }).catch(() => undefined);
    if (answer !== undefined) return answer.body.dump();
    await pause(50);
  }
  await server.stop();
  throw new Error(`nothing answers at ${url}:\n${server.output()}`);
}
