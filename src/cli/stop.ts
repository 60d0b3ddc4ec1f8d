import { constants } from 'node:os';

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Resolves with the name of the first signal that asks this process to stop. The next one, of either kind, is given to
 * `again`, and ends the process at once with 128 and the signal's number: what runs as process 1 of a container is not
 * ended by a signal that it does not listen for.
 */
export function stopRequested(again: (signal: NodeJS.Signals) => void = () => {}): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let stopping = false;
  for (const name of signals) {
    process.on(name, () => {
      if (!stopping) {
        stopping = true;
        resolve(name);
        return;
      }
      again(name);
      process.exit(128 + constants.signals[name]);
    });
  }
  return promise;
}
