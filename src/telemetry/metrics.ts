import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ApiCall } from '../kubernetes/rest.ts';
import type { FailedStage } from '../model/outcome.ts';
import type { RunKind } from '../model/run.ts';
import type { SigstoreReport } from '../model/sigstore.ts';

/** What the metrics page is served with. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

/** The state of the queue. */
export interface QueueState {
  /** Keys that wait for a worker or for their next try. */
  readonly depth: number;
  /** How long the oldest of them has been in the queue, in seconds; 0 when it is empty. */
  readonly oldestSeconds: number;
  /** Runs that wait for another run or for their next try. */
  readonly waiting: number;
}

const kinds: readonly RunKind[] = ['TaskRun', 'PipelineRun'];
const stages: readonly FailedStage[] = ['payload_creation', 'marshal_payload', 'signing', 'storage', 'tlog'];

/** The metrics of one process (behaviour.md, "Metrics"). Importing this file loads prom-client. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #created = this.#runCounters('sign_created', 'Payloads that were signed');
  readonly #uploaded = this.#runCounters('payload_uploaded', 'Signatures that the transparency log took');
  readonly #stored = this.#runCounters('payload_stored', 'Payloads and signatures that a store took');
  readonly #marked = this.#runCounters('marked_signed', 'Runs that were marked as signed');
  readonly #failures = byKind(
    (kind) =>
      new Counter({
        name: `watcher_${kind.toLowerCase()}_signing_failures_total`,
        help: `Artifacts of ${kind}s that could not be signed or stored, by stage`,
        labelNames: ['error_type'],
        registers: [this.#registry],
      }),
  );
  readonly #delay = new Histogram({
    name: 'chains_signing_delay_seconds',
    help: 'Time from the completion of a run until it was marked',
    labelNames: ['kind'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600],
    registers: [this.#registry],
  });
  readonly #configValid = this.#gauge(
    'chains_config_valid',
    '1 while the current ConfigMap is in force, else 0',
  );
  readonly #configChanged = this.#gauge(
    'chains_config_last_change_timestamp_seconds',
    'When the configuration in force was taken',
  );
  readonly #backends = new Gauge({
    name: 'chains_backend_ready',
    help: '1 while the signer or store that this key of the ConfigMap names is open, else 0',
    labelNames: ['key', 'backend'],
    registers: [this.#registry],
  });
  readonly #watching = new Gauge({
    name: 'chains_watch_up',
    help: '1 while this resource is listed or watched without trouble, else 0',
    labelNames: ['resource'],
    registers: [this.#registry],
  });
  readonly #calls = new Counter({
    name: 'chains_api_calls_total',
    help: 'Calls to the API server, by verb, resource and HTTP status (or error)',
    labelNames: ['verb', 'resource', 'status'],
    registers: [this.#registry],
  });
  readonly #callTime = new Histogram({
    name: 'chains_api_call_duration_seconds',
    help: 'Time until the API server answered',
    labelNames: ['verb', 'resource'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.#registry],
  });
  readonly #sigstoreAnswered = new Gauge({
    name: 'chains_sigstore_last_success_timestamp_seconds',
    help: 'When Fulcio, the transparency log, the timestamp server or the TUF repository last answered as it should',
    labelNames: ['service'],
    registers: [this.#registry],
  });
  readonly #sigstoreFailures = new Counter({
    name: 'chains_sigstore_failures_total',
    help: 'Questions to a service of Sigstore that it did not answer as it should',
    labelNames: ['service'],
    registers: [this.#registry],
  });
  readonly #certificateEnd = this.#gauge(
    'chains_certificate_end_timestamp_seconds',
    'When the certificate ends that the keyless signer uses',
  );

  constructor() {
    for (const kind of kinds) for (const stage of stages) this.#failures[kind].inc({ error_type: stage }, 0);
    // The default of 10 ms would wake an idle process a hundred times a second.
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 100 });
  }

  /** A payload of a run of this kind was signed. */
  signed(kind: RunKind): void {
    this.#created[kind].inc();
  }

  /** The transparency log took a signature. */
  uploaded(kind: RunKind): void {
    this.#uploaded[kind].inc();
  }

  /** A store took a payload with its signature. */
  stored(kind: RunKind): void {
    this.#stored[kind].inc();
  }

  /** A run was marked as signed, so long after it completed, where that is known. */
  marked(kind: RunKind, secondsSinceCompletion: number | undefined): void {
    this.#marked[kind].inc();
    if (secondsSinceCompletion !== undefined)
      this.#delay.observe({ kind }, Math.max(0, secondsSinceCompletion));
  }

  /** An artifact failed in this stage. */
  failed(kind: RunKind, stage: FailedStage): void {
    this.#failures[kind].inc({ error_type: stage });
  }

  /** Adds the gauges of the queue; `state` is called each time the page is read. Call it once. */
  queue(state: () => QueueState): void {
    const gauges = [
      ['chains_queue_depth', 'Runs in the queue', 'depth'],
      ['chains_queue_oldest_seconds', 'Age of the oldest entry in the queue', 'oldestSeconds'],
      ['chains_runs_waiting', 'Runs that wait for another run or for their next try', 'waiting'],
    ] as const;
    for (const [name, help, part] of gauges) {
      const collect = (): void => gauge.set(state()[part]);
      const gauge: Gauge = new Gauge({ name, help, registers: [this.#registry], collect });
    }
  }

  /** Shows how many replicas share the runs: `size` is asked each time the page is read. Call it once. */
  members(size: () => number): void {
    new Gauge({
      name: 'chains_members',
      help: 'Replicas that share the runs, as this one sees it',
      registers: [this.#registry],
      collect() {
        this.set(size());
      },
    });
  }

  /** A service of Sigstore was asked. */
  sigstore({ service, error, validUntil }: SigstoreReport): void {
    if (error === undefined) this.#sigstoreAnswered.set({ service }, Date.now() / 1000);
    else this.#sigstoreFailures.inc({ service });
    if (validUntil !== undefined) this.#certificateEnd.set(validUntil.getTime() / 1000);
  }

  /** A configuration is in force, taken at this time. */
  configTaken(at: Date): void {
    this.#configChanged.set(at.getTime() / 1000);
  }

  /** Whether the current ConfigMap is the one in force. */
  configValid(valid: boolean): void {
    this.#configValid.set(valid ? 1 : 0);
  }

  /** Whether the back end that `key` names, such as `artifacts.oci.storage`, is open. */
  backend(key: string, backend: string, ready: boolean): void {
    this.#backends.set({ key, backend }, ready ? 1 : 0);
  }

  /** Forgets all back ends, before those of another configuration are reported. */
  forgetBackends(): void {
    this.#backends.reset();
  }

  /** Whether this resource is listed and watched without trouble. */
  watching(resource: string, well: boolean): void {
    this.#watching.set({ resource }, well ? 1 : 0);
  }

  /** A call to the API server, as the client reports it. */
  apiCall({ verb, resource, status, milliseconds }: ApiCall): void {
    this.#calls.inc({ verb, resource, status: String(status) });
    this.#callTime.observe({ verb, resource }, milliseconds / 1000);
  }

  /** The page in Prometheus' text format. */
  async page(): Promise<MetricsPage> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #runCounters(what: string, text: string): Readonly<Record<RunKind, Counter>> {
    return byKind((kind) => {
      const name = `watcher_${kind.toLowerCase()}_${what}_total`;
      return new Counter({ name, help: `${text}, for ${kind}s`, registers: [this.#registry] });
    });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.#registry] });
  }
}

function byKind<T>(make: (kind: RunKind) => T): Readonly<Record<RunKind, T>> {
  return { TaskRun: make('TaskRun'), PipelineRun: make('PipelineRun') };
}
