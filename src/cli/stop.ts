import { once } from 'node:events';

/** Resolves with the name of the signal that asks this process to stop; a second one ends it at once. */
export async function stopRequested(): Promise<string> {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  return Promise.race(signals.map(async (name) => once(process, name).then(() => name)));
}
