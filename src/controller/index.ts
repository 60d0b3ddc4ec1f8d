import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { recordEvent } from '../kubernetes/events.ts';
import { aboutConfigMap, followConfig } from './live-config.ts';
import type { Connection } from '../kubernetes/live-connection.ts';
import { Rest } from '../kubernetes/rest.ts';
import { reasonOf } from '../errors.ts';
import { Membership } from '../members/membership.ts';
import type { RunKind } from '../model/run.ts';
import type { Traces } from '../model/span.ts';
import { followSecrets } from '../sign/secrets.ts';
import { Health } from '../telemetry/health.ts';
import type { Log } from '../telemetry/logs.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { serveHealth, serveMetrics, type TelemetryServer } from '../telemetry/server.ts';
import { openJournal } from './journal.ts';
import { LivePipeline } from './live-pipeline.ts';
import { readIdentityToken } from './identity-token.ts';
import { readRegistrySecrets } from './registry-secrets.ts';
import { followSigstore } from './sigstore-state.ts';
import { WatchedRuns } from './watched-runs.ts';
import type { ControllerPace } from './pace.ts';

/** How a controller is started. */
export interface ControllerOptions {
  readonly connection: Connection;
  /** Where `chains-config` is. */
  readonly systemNamespace: string;
  /** The name of this replica, and of its Lease: no other replica may have it at the same time. Random by default. */
  readonly name?: string;
  /** The namespaces whose runs are signed; none means all. */
  readonly namespaces: readonly string[];
  /** The folder in which the Secret `signing-secrets` is mounted. */
  readonly secretsFolder: string;
  /** Runs handled at once. */
  readonly concurrency: number;
  /** 0 picks a free port. */
  readonly metricsPort: number;
  /** 0 picks a free port. */
  readonly healthPort: number;
  readonly log: Log;
  /** Where spans of runs go, which whoever opened it closes; none are made without. */
  readonly traces?: Traces | undefined;
  /** A folder for what must survive a crash of this process; without one, nothing does. */
  readonly stateFolder?: string;
  /** Milliseconds that what is in flight gets when the controller stops. */
  readonly stopWithin?: number;
  readonly pace?: ControllerPace;
}

/** A controller at work. */
export interface Controller {
  readonly metricsPort: number;
  readonly healthPort: number;
  /** Takes nothing new, finishes what is in flight, and closes everything. */
  stop(): Promise<void>;
}

/** Milliseconds that back ends get to close. */
const closeWithin = 3_000;

/** The kinds that are watched, and the artifacts that their runs have. */
const watchedKinds: readonly RunKind[] = ['TaskRun', 'PipelineRun'];
const artifactKinds = ['taskrun', 'pipelinerun', 'oci'] as const;

/**
 * Starts watching, signing and marking, and the servers for health and metrics. What can be fixed later (no answer from
 * the cluster, a bad configuration, no key) shows in readiness.
 * @throws ChainsError USAGE when a port can't be had.
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { connection, log, systemNamespace, secretsFolder, namespaces, pace = {} } = options;
  const watching = new AbortController();
  const working = new AbortController();
  const member = new AbortController();
  const metrics = new Metrics();
  const [live, ready] = [new Health(), new Health()];
  ready.set('configuration', 'chains-config was not read yet');
  ready.set('signing secrets', 'they were not read yet');
  const rest = new Rest(connection, {
    onCall(call) {
      metrics.apiCall(call);
      if (typeof call.status === 'number' && call.status < 500 && call.status !== 429)
        runs.apiServerAnswered();
    },
  });
  const [health, metricsServer] = await listen(
    serveHealth({ port: options.healthPort }, live, ready),
    serveMetrics({ port: options.metricsPort }, () => metrics.page()),
  ).catch(async (error: unknown) => {
    await rest.close();
    throw error;
  });
  const membership = new Membership({
    rest,
    log,
    namespace: systemNamespace,
    name: options.name ?? `tekton-chains-controller-${randomBytes(5).toString('hex')}`,
    changed: () => runs.shareChanged(),
  });
  ready.set('share of the runs', () => membership.trouble);
  metrics.members(() => membership.size);
  const journal = options.stateFolder === undefined ? undefined : openJournal(options.stateFolder, log);

  const noticed = new Set<string>();
  const pipeline = new LivePipeline({
    kinds: artifactKinds,
    access: {
      registrySecrets: readRegistrySecrets(rest, log),
      identityToken: readIdentityToken(rest),
    },
    health: ready,
    metrics,
    log,
    changed: () => runs.hurry(),
    listener: (step, { run }) => metrics[step](run.kind),
    onSigstore: followSigstore(ready, metrics),
    notice: (text) => {
      if (noticed.has(text)) return;
      noticed.add(text);
      log.warn(text);
      const event = { type: 'Warning', reason: 'UnverifiedAnswers', message: text } as const;
      recordEvent(rest, aboutConfigMap(systemNamespace), event, working.signal).catch((error: unknown) =>
        log.warn(`the Event UnverifiedAnswers could not be written: ${reasonOf(error)}`),
      );
    },
  });
  const runs = new WatchedRuns({
    rest,
    log,
    metrics,
    health: ready,
    kinds: watchedKinds,
    namespaces,
    concurrency: options.concurrency,
    pipeline: () => pipeline.current,
    pace,
    journal,
    membership,
    traces: options.traces,
  });
  working.signal.addEventListener('abort', () => membership.tries.cutAll(), { once: true });

  const following = [
    followConfig(
      rest,
      systemNamespace,
      {
        config: (config) => {
          metrics.configTaken(new Date());
          log.info('configuration is in force');
          pipeline.configure(config);
        },
        trouble: (error) => {
          metrics.configValid(error === undefined);
          ready.set('configuration', error?.message);
          if (error !== undefined) log.error(error.message, { code: error.code });
        },
        warning: (text) => log.warn(text),
      },
      watching.signal,
    ),
    followSecrets(
      secretsFolder,
      (secrets) => {
        ready.set('signing secrets', secrets.missing);
        for (const warning of secrets.warnings ?? []) log.warn(warning);
        pipeline.supply(secrets);
      },
      watching.signal,
      pace.secrets === undefined ? {} : { every: pace.secrets },
    ),
    runs.follow(watching.signal),
  ].map(watched);
  const staying = watched(membership.follow(member.signal));

  function watched(task: Promise<void>): Promise<void> {
    return task.catch((error: unknown) => {
      // These tasks never end by themselves. If one does, a restart is better than a process that does nothing.
      log.error(`stopped following: ${reasonOf(error)}`, { error });
      live.set('following', reasonOf(error));
    });
  }

  return {
    metricsPort: metricsServer.port,
    healthPort: health.port,
    async stop() {
      ready.set('stopping', 'the controller is stopping');
      watching.abort();
      const late = setTimeout(() => working.abort(), options.stopWithin ?? 20_000);
      await runs.stop();
      clearTimeout(late);
      working.abort();
      await Promise.all(following);
      // Only now may other replicas continue this one's runs.
      member.abort();
      await staying;
      // A back end doesn't close while it waits for an answer.
      const closed = new AbortController();
      const waiting = pause(closeWithin, undefined, { signal: closed.signal }).catch(() => {});
      await Promise.race([pipeline.close(), waiting]);
      closed.abort();
      await Promise.all([health.close(), metricsServer.close(), rest.close()]);
      journal?.close();
    },
  };
}

/** Both servers, or neither: one server alone would keep a process alive that can't work. */
async function listen(
  ...starting: [Promise<TelemetryServer>, Promise<TelemetryServer>]
): Promise<[TelemetryServer, TelemetryServer]> {
  try {
    return await Promise.all(starting);
  } catch (error) {
    for (const started of await Promise.allSettled(starting))
      if (started.status === 'fulfilled') await started.value.close();
    throw error;
  }
}
