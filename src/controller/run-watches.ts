import { setTimeout as pause } from 'node:timers/promises';
import { reasonOf } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Resource } from '../kubernetes/call.ts';
import { type Observer, reflect } from '../kubernetes/reflector.ts';
import type { Rest } from '../kubernetes/rest.ts';
import { servedRuns } from '../kubernetes/run-resources.ts';
import { signedMark } from '../model/marks.ts';
import type { RunKind } from '../model/run.ts';
import type { Health } from '../telemetry/health.ts';
import type { Log } from '../telemetry/logs.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Backoff } from './backoff.ts';
import type { ControllerPace } from './pace.ts';
import { sweep } from './sweep.ts';
import { type Watched, WatchStates } from './watch-states.ts';

/** What following runs needs. */
export interface RunWatchesOptions {
  readonly rest: Rest;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly kinds: readonly RunKind[];
  /** None means all. */
  readonly namespaces: readonly string[];
  readonly pace: ControllerPace;
}

/** Which run: the API server knows it by its kind, namespace and name. */
export interface RunName {
  readonly kind: RunKind;
  readonly namespace: string;
  readonly name: string;
}

/** Receives runs as they are seen. */
export interface RunObserver {
  /** A run that is unsigned, or has changed. @param bytes of its JSON */
  seen(object: JsonObject, bytes: number): void;
  gone(object: JsonObject, kind: RunKind): void;
  /** A run that bears a mark which may not be its own, or is marked and still held. */
  doubtful(run: RunName): void;
  /** Awaited before more runs are listed. */
  room(signal: AbortSignal): Promise<void>;
}

/** Milliseconds in which several requests for a new list lead to one. */
const requestsWithin = 200;

const plurals: Readonly<Record<RunKind, string>> = { TaskRun: 'taskruns', PipelineRun: 'pipelineruns' };

/** Lists and watches the runs of all kinds, in every namespace that is asked for, and sweeps over those that are marked. */
export class RunWatches {
  readonly #options: RunWatchesOptions;
  readonly #to: RunObserver;
  readonly #resources = new Map<RunKind, Resource>();
  readonly #states: WatchStates;
  /** Aborted when all runs are to be listed again; undefined before they are followed. */
  #listing: AbortController | undefined;
  #request: NodeJS.Timeout | undefined;

  constructor(options: RunWatchesOptions, to: RunObserver) {
    this.#options = options;
    this.#to = to;
    this.#states = new WatchStates(options.kinds, options.namespaces);
    for (const kind of options.kinds) this.#show(kind);
  }

  /** How the cluster serves a kind; undefined until that is known. */
  resourceOf(kind: RunKind): Resource | undefined {
    return this.#resources.get(kind);
  }

  /** Follows all kinds and namespaces until aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    this.#listing = new AbortController();
    await Promise.all(this.#options.kinds.map((kind) => this.#followKind(kind, signal)));
    clearTimeout(this.#request);
  }

  /** Lists all unsigned runs again, soon, if they are followed. */
  listAgain(): void {
    if (this.#listing === undefined) return;
    this.#request ??= setTimeout(() => {
      this.#request = undefined;
      const before = this.#listing;
      this.#listing = new AbortController();
      before?.abort();
    }, requestsWithin);
  }

  async #followKind(kind: RunKind, signal: AbortSignal): Promise<void> {
    const resource = await this.#served(kind, signal);
    if (resource === undefined) return;
    this.#resources.set(kind, resource);
    await Promise.all(
      this.#states.places.map((namespace) => this.#followIn({ kind, namespace }, resource, signal)),
    );
  }

  /** Asks until the cluster serves a kind; undefined when aborted. */
  async #served(kind: RunKind, signal: AbortSignal): Promise<Resource | undefined> {
    const backoff = new Backoff(500, 30_000);
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        const resource = await servedRuns(this.#options.rest, kind, signal);
        if (resource !== undefined) return resource;
        this.#notServed(
          kind,
          `the cluster does not serve ${plurals[kind]} of tekton.dev: install Tekton Pipelines`,
        );
      } catch (error) {
        if (signal.aborted) return undefined;
        this.#notServed(kind, reasonOf(error));
      }
      await pause(backoff.after(attempt), undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  async #followIn(watched: Watched, resource: Resource, signal: AbortSignal): Promise<void> {
    const { rest, log, pace } = this.#options;
    const { kind, namespace } = watched;
    const inNamespace = namespace === undefined ? {} : { namespace };
    const sweeping = new AbortController();
    let swept: Promise<void> | undefined;
    const startSweep = (): Promise<void> =>
      sweep(
        {
          ...{ rest, resource, kind, log },
          ...inNamespace,
          ...(pace.sweep === undefined ? {} : { pace: pace.sweep }),
          doubtful: (name) => this.#to.doubtful({ kind, ...name }),
        },
        AbortSignal.any([signal, sweeping.signal]),
      );
    const observer: Observer = {
      seen: (object, bytes) => this.#to.seen(object, bytes),
      gone: (object) => this.#to.gone(object, kind),
      room: () => this.#to.room(signal),
      begun: () => this.#set(watched, undefined),
      synced: () => {
        log.info(`all unsigned ${plurals[kind]} are known`, inNamespace);
        swept ??= startSweep();
      },
      trouble: (error) => this.#set(watched, error.message),
      well: () => this.#set(watched, undefined),
    };
    const listSelector = `${signedMark} notin (true,failed)`;
    const silence = pace.silence === undefined ? {} : { silence: pace.silence };
    while (!signal.aborted && this.#listing !== undefined) {
      const either = AbortSignal.any([signal, this.#listing.signal]);
      await reflect(rest, { resource, listSelector, ...inNamespace, ...silence }, observer, either);
    }
    sweeping.abort();
    await swept;
  }

  #set(watched: Watched, trouble: string | undefined): void {
    this.#states.set(watched, trouble);
    this.#show(watched.kind);
    if (trouble === undefined) return;
    const { kind, namespace } = watched;
    const where = namespace === undefined ? '' : ` in ${namespace}`;
    this.#options.log.warn(`${plurals[kind]}${where} are not watched right now: ${trouble}`);
  }

  #notServed(kind: RunKind, trouble: string): void {
    for (const namespace of this.#states.places) this.#states.set({ kind, namespace }, trouble);
    this.#show(kind);
    this.#options.log.warn(`${plurals[kind]} are not watched right now: ${trouble}`);
  }

  #show(kind: RunKind): void {
    const trouble = this.#states.of(kind);
    this.#options.health.set(`watch of ${plurals[kind]}`, trouble);
    this.#options.metrics.watching(plurals[kind], trouble === undefined);
  }
}
