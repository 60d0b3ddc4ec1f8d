import { constants } from 'node:os';

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Resolves with the first signal that asks this process to stop. The second one, of either kind, is passed to `again` and
 * ends the process at once with 128 plus the signal's number, since process 1 of a container is not ended by a signal that
 * has no listener.
 */
export function stopRequested(again: (signal: NodeJS.Signals) => void = () => {}): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let stopping = false;
  for (const name of signals) {
    process.on(name, () => {
      if (stopping) {
        again(name);
        process.exit(128 + constants.signals[name]);
      }
      stopping = true;
      resolve(name);
    });
  }
  return promise;
}
