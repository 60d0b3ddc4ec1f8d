import { setTimeout as pause } from 'node:timers/promises';
import { reflect } from '../kubernetes/reflector.ts';
import type { Resource } from '../kubernetes/call.ts';
import type { Rest } from '../kubernetes/rest.ts';
import { ChainsError, reasonOf } from '../errors.ts';
import { at, type JsonObject } from '../json.ts';
import { endStateOf, ourFinalizers, signedMark } from '../model/marks.ts';
import { parseRun, type Run, type RunKind, runName } from '../model/run.ts';
import { usesRegistries } from '../config/plan.ts';
import { registryHostsOf } from '../extract/index.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Health } from '../telemetry/health.ts';
import type { Log } from '../telemetry/logs.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Awaited, type Family } from './family.ts';
import { Backoff } from './backoff.ts';
import type { Journal } from './journal.ts';
import type { ControllerPace } from './pace.ts';
import { ProgressKept } from './progress-kept.ts';
import { WorkQueue } from './queue.ts';
import { reconcile } from './reconcile.ts';
import { sweep } from './sweep.ts';
import { type Watched, WatchStates } from './watch-states.ts';
import type { Parties, Verdict, Work } from './work.ts';

/** What following runs needs. */
export interface WatchedRunsOptions {
  readonly rest: Rest;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly kinds: readonly RunKind[];
  /** None means all. */
  readonly namespaces: readonly string[];
  readonly concurrency: number;
  /** The pipeline in force; nothing is handled before there is one. */
  readonly pipeline: () => Pipeline | undefined;
  readonly pace: ControllerPace;
  /** Where what is being tried is written down; undefined where there is no place for it. */
  readonly journal: Journal | undefined;
  /** Aborts what is in flight. */
  readonly signal: AbortSignal;
}

/** Milliseconds, besides what a try may take, after which a queue that does not move is considered stuck. */
const standstillAfter = 60_000;

const plurals: Readonly<Record<RunKind, string>> = { TaskRun: 'taskruns', PipelineRun: 'pipelineruns' };

/** A run's place in the queue. */
interface RunName {
  readonly kind: RunKind;
  readonly namespace: string;
  readonly name: string;
}

/** Sees runs come and change, and hands each to {@link reconcile}, one step at a time. */
export class WatchedRuns {
  readonly #options: WatchedRunsOptions;
  readonly #queue: WorkQueue<Run>;
  readonly #resources = new Map<RunKind, Resource>();
  readonly #awaited = new Awaited();
  readonly #progress = new ProgressKept();
  readonly #watches: WatchStates;

  constructor(options: WatchedRunsOptions) {
    this.#options = options;
    this.#watches = new WatchStates(options.kinds, options.namespaces);
    for (const kind of options.kinds) this.#showWatches(kind);
    options.health.set('queue', () => this.#standstill());
    const {
      journal,
      pace: { backoff },
    } = options;
    this.#queue = new WorkQueue<Run>((work) => this.#handle(work), {
      concurrency: options.concurrency,
      partiesOf: (key, run) => {
        const pipeline = options.pipeline();
        return partiesOf(key, pipeline === undefined || usesRegistries(pipeline.config) ? run : undefined);
      },
      ...(journal === undefined
        ? {}
        : {
            crashes: (key) => journal.crashes(key),
            begins: (key) => journal.begins(key),
            ended: (key) => journal.ended(key),
          }),
      finished: (key) => {
        this.#progress.forget(key);
        this.#ended(placeOf(key));
      },
      ...(backoff === undefined ? {} : { backoff }),
    });
    options.metrics.queue(() => ({
      depth: this.#queue.depth,
      oldestSeconds: this.#queue.age / 1000,
      waiting: this.#queue.waiting,
    }));
  }

  /** Follows all kinds and namespaces until aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.kinds.map((kind) => this.#followKind(kind, signal)));
  }

  /** What made runs fail may be fixed: none waits for its backoff any longer. Begins handling, if it had not begun. */
  hurry(): void {
    this.#queue.start();
    this.#queue.hurryAll();
  }

  /** Takes nothing more, and resolves when everything in flight has ended. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #followKind(kind: RunKind, signal: AbortSignal): Promise<void> {
    const resource = await this.#served(kind, signal);
    if (resource === undefined) return;
    this.#resources.set(kind, resource);
    await Promise.all(
      this.#watches.places.map((namespace) => this.#followIn(kind, resource, namespace, signal)),
    );
  }

  /** v1 where the cluster serves it, else v1beta1; asks until it serves one of them, or undefined when aborted. */
  async #served(kind: RunKind, signal: AbortSignal): Promise<Resource | undefined> {
    const plural = plurals[kind];
    const versions = ['v1', 'v1beta1'].map((version) => ({ group: 'tekton.dev', version, plural }));
    const backoff = new Backoff(500, 30_000);
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        for (const resource of versions)
          if (await this.#options.rest.serves(resource, signal)) return resource;
        this.#notServed(kind, `the cluster does not serve ${plural} of tekton.dev: install Tekton Pipelines`);
      } catch (error) {
        if (signal.aborted) return undefined;
        this.#notServed(kind, reasonOf(error));
      }
      await pause(backoff.after(attempt), undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  async #followIn(
    kind: RunKind,
    resource: Resource,
    namespace: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { rest, log, pace } = this.#options;
    const sweeping = new AbortController();
    const inNamespace = namespace === undefined ? {} : { namespace };
    const watched = { kind, namespace };
    let swept: Promise<void> | undefined;
    await reflect(
      rest,
      {
        resource,
        ...inNamespace,
        listSelector: `${signedMark} notin (true,failed)`,
        ...(pace.silence === undefined ? {} : { silence: pace.silence }),
      },
      {
        seen: (object, bytes) => this.#seen(object, bytes),
        gone: (object) => this.#gone(object, kind),
        room: () => this.#queue.room(signal),
        begun: () => this.#watching(watched, undefined),
        synced: () => {
          log.info(`all unsigned ${plurals[kind]} are known`, inNamespace);
          swept ??= sweep(
            {
              rest,
              resource,
              kind,
              log,
              ...inNamespace,
              ...(pace.sweep === undefined ? {} : { pace: pace.sweep }),
              doubtful: (name) => this.#queue.add(keyOf({ kind, ...name })),
            },
            AbortSignal.any([signal, sweeping.signal]),
          );
        },
        trouble: (error) => this.#watching(watched, error.message),
        well: () => this.#watching(watched, undefined),
      },
      signal,
    );
    sweeping.abort();
    await swept;
  }

  #watching(watched: Watched, trouble: string | undefined): void {
    this.#watches.set(watched, trouble);
    this.#showWatches(watched.kind);
    if (trouble === undefined) return;
    const { kind, namespace } = watched;
    const where = namespace === undefined ? '' : ` in ${namespace}`;
    this.#options.log.warn(`${plurals[kind]}${where} are not watched right now: ${trouble}`);
  }

  #notServed(kind: RunKind, trouble: string): void {
    for (const namespace of this.#watches.places) this.#watches.set({ kind, namespace }, trouble);
    this.#showWatches(kind);
    this.#options.log.warn(`${plurals[kind]} are not watched right now: ${trouble}`);
  }

  #showWatches(kind: RunKind): void {
    const trouble = this.#watches.of(kind);
    this.#options.health.set(`watch of ${plurals[kind]}`, trouble);
    this.#options.metrics.watching(plurals[kind], trouble === undefined);
  }

  /** Why nothing is signed, should that be so: no try has begun or ended for longer than one may take. */
  #standstill(): string | undefined {
    const timeout = this.#options.pipeline()?.config['limits.try-timeout'] ?? Number.POSITIVE_INFINITY;
    const { idle } = this.#queue;
    if (idle <= timeout + standstillAfter) return undefined;
    return `runs wait, and none was begun or ended for ${Math.round(idle / 1000)} s`;
  }

  #seen(object: JsonObject, bytes: number): void {
    try {
      const run = parseRun(object);
      // Most events are of runs that are through, our own marks among them: they cost nothing more.
      if (endStateOf(run) !== undefined && ourFinalizers(run).length === 0) {
        this.#ended(run);
        return;
      }
      this.#queue.add(keyOf(run), run, bytes, run.deletedAt === undefined ? undefined : `deleted ${run.uid}`);
    } catch (error) {
      this.#options.log.error(`a run can't be read: ${reasonOf(error)}`);
    }
  }

  /** A TaskRun is finished: the PipelineRun that waited for nothing else is looked at. */
  #ended({ kind, namespace, name }: RunName): void {
    if (kind !== 'TaskRun') return;
    const waiting = this.#awaited.ended(runName({ namespace, name }));
    if (waiting !== undefined) this.#queue.wake(`PipelineRun ${waiting}`);
  }

  #gone(object: JsonObject, kind: RunKind): void {
    const [namespace, name] = ['namespace', 'name'].map((key) => String(at(object, 'metadata', key) ?? ''));
    const place = { kind, namespace: namespace ?? '', name: name ?? '' };
    if (kind === 'PipelineRun') this.#awaited.forget(runName(place));
    else this.#ended(place);
  }

  #handle(work: Work<Run>): Promise<Verdict> {
    const { kind, namespace, name } = placeOf(work.key);
    const { rest, log, metrics, signal, pipeline } = this.#options;
    const [resource, current] = [this.#resources.get(kind), pipeline()];
    if (resource === undefined || current === undefined) {
      throw new ChainsError('UNEXPECTED', `${work.key} was handled before the controller was ready`);
    }
    const family: Family = {
      awaited: this.#awaited,
      isInHand: (taskRun) => this.#queue.has(`TaskRun ${taskRun}`),
    };
    const progress = this.#progress;
    const around = { rest, resource, pipeline: current, family, progress, log, metrics, signal };
    return reconcile(work, { namespace, name }, around);
  }
}

/** Hosts of one run that are looked at; its namespace has a share of its own. */
const mostHosts = 16;

function partiesOf(key: string, run: Run | undefined): Parties {
  const hosts = run === undefined ? [] : registryHostsOf(run);
  return { owner: placeOf(key).namespace, hosts: hosts.slice(0, mostHosts).toSorted() };
}

function keyOf({ kind, namespace, name }: RunName): string {
  return `${kind} ${namespace}/${name}`;
}

function placeOf(key: string): RunName {
  const [kind, namespace = '', name = ''] = key.split(/[ /]/);
  return { kind: kind === 'PipelineRun' ? 'PipelineRun' : 'TaskRun', namespace, name };
}
