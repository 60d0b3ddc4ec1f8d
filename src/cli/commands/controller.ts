import { startController } from '../../controller/index.ts';
import { openConnection } from '../../kubernetes/connection.ts';
import { logLevel, openLog } from '../../telemetry/logs.ts';
import { openTraces } from '../../telemetry/traces.ts';
import type { ConnectionOptions } from '../input/cluster.ts';
import { stopRequested } from '../stop.ts';

/** The options of `chains controller`, as parsed. */
export interface ControllerArguments extends ConnectionOptions {
  readonly namespace: readonly string[];
  readonly systemNamespace: string;
  readonly signingSecrets: string;
  readonly name?: string;
  readonly concurrency: number;
  readonly metricsPort: number;
  readonly healthPort: number;
  readonly stateDir?: string;
}

/** Milliseconds for open connections to close before the process exits. */
const exitDelay = 1_000;

/** `chains controller`: runs until SIGTERM or SIGINT, then finishes the runs in flight, unless a second signal comes. */
export async function runController(options: ControllerArguments): Promise<void> {
  const { kubeconfig, context, systemNamespace, concurrency, metricsPort, healthPort, stateDir, name } =
    options;
  const log = await openLog({ level: logLevel() });
  const stop = stopRequested((signal) =>
    log.warn('ending at once: what was in flight is given up', { signal }),
  );
  const traces = await openTraces(log, name);
  const connection = await openConnection({ kubeconfig, context });
  const controller = await startController({
    connection,
    systemNamespace,
    concurrency,
    metricsPort,
    healthPort,
    log,
    traces,
    namespaces: options.namespace,
    secretsFolder: options.signingSecrets,
    ...(name === undefined ? {} : { name }),
    ...(stateDir === undefined ? {} : { stateFolder: stateDir }),
  });
  log.info('started', {
    // The origin alone: some servers are reached by a path that is a secret.
    server: new URL(connection.server).origin,
    healthPort: controller.healthPort,
    metricsPort: controller.metricsPort,
  });
  const signal = await stop;
  log.info('stopping: what is in flight is finished first; a second signal ends it at once', { signal });
  await controller.stop();
  await traces?.close();
  log.info('stopped');
  // Connections that a back end left open must not keep the process alive.
  setTimeout(() => process.exit(), exitDelay).unref();
}
