import { startController } from '../../controller/index.ts';
import { openConnection } from '../../kubernetes/connection.ts';
import { logLevel, openLog } from '../../telemetry/logs.ts';
import { stopRequested } from '../stop.ts';

/** The options of `chains controller`, as parsed. */
export interface ControllerArguments {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace: readonly string[];
  readonly systemNamespace: string;
  readonly signingSecrets: string;
  readonly name?: string;
  readonly concurrency: number;
  readonly metricsPort: number;
  readonly healthPort: number;
  readonly stateDir?: string;
}

/** Milliseconds that what is still open gets to close. */
const lingering = 1_000;

/** `chains controller`: runs until SIGTERM or SIGINT, then finishes what is in flight, unless a second one comes. */
export async function runController(options: ControllerArguments): Promise<void> {
  const { kubeconfig, context, stateDir, name } = options;
  const log = await openLog({ level: logLevel() });
  const stop = stopRequested((signal) =>
    log.warn('ending at once: what was in flight is given up', { signal }),
  );
  const connection = await openConnection({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const controller = await startController({
    connection,
    systemNamespace: options.systemNamespace,
    namespaces: options.namespace,
    secretsFolder: options.signingSecrets,
    concurrency: options.concurrency,
    metricsPort: options.metricsPort,
    healthPort: options.healthPort,
    log,
    ...(name === undefined ? {} : { name }),
    ...(stateDir === undefined ? {} : { stateFolder: stateDir }),
  });
  const { healthPort, metricsPort } = controller;
  // The origin alone: some servers are reached by a path that is a secret.
  log.info('started', { server: new URL(connection.server).origin, healthPort, metricsPort });
  const signal = await stop;
  log.info('stopping: what is in flight is finished first; a second signal ends it at once', { signal });
  await controller.stop();
  log.info('stopped');
  // What a back end has left open keeps no process that has stopped.
  setTimeout(() => process.exit(), lingering).unref();
}
