import { unlessAborted } from '../concurrency.ts';
import { ChainsError, reasonOf } from '../errors.ts';
import { at, type JsonObject, listAt } from '../json.ts';
import { endStateOf, ourFinalizers } from '../model/marks.ts';
import { parseRun, type Run, type RunKind, runName } from '../model/run.ts';
import type { Traces } from '../model/span.ts';
import type { Membership } from '../members/membership.ts';
import { familyOf } from '../members/shares.ts';
import { usesRegistries } from '../config/plan.ts';
import { registryHostsOf } from '../extract/index.ts';
import type { Pipeline } from '../pipeline.ts';
import { Awaited, type Family } from './family.ts';
import type { Journal } from './journal.ts';
import { apiServer, Outages } from './outages.ts';
import { ProgressKept } from './progress-kept.ts';
import { WorkQueue } from './queue.ts';
import { reconcile } from './reconcile.ts';
import { type RunName, RunWatches, type RunWatchesOptions } from './run-watches.ts';
import type { Parties, Verdict, Work } from './work.ts';

/** What handling the runs that are followed needs. */
export interface WatchedRunsOptions extends RunWatchesOptions {
  readonly concurrency: number;
  /** Which runs are this replica's. */
  readonly membership: Membership;
  /** The pipeline in force; nothing is handled before there is one. */
  readonly pipeline: () => Pipeline | undefined;
  /** Records what is being tried; undefined without a folder for it. */
  readonly journal: Journal | undefined;
  /** Undefined where traces are off. */
  readonly traces: Traces | undefined;
}

/** Milliseconds, in addition to the longest try, after which a queue that does not move is considered stuck. */
const standstillAfter = 60_000;

/** Sees runs come and change, and hands each to {@link reconcile}, one step at a time. */
export class WatchedRuns {
  readonly #options: WatchedRunsOptions;
  readonly #queue: WorkQueue<Run>;
  readonly #awaited = new Awaited();
  readonly #progress = new ProgressKept();
  readonly #outages = new Outages((key) => this.#queue.wake(key));
  readonly #watches: RunWatches;

  constructor(options: WatchedRunsOptions) {
    this.#options = options;
    this.#watches = new RunWatches(options, {
      seen: (object, bytes) => this.#seen(object, bytes),
      gone: (object, kind) => this.#gone(object, kind),
      doubtful: (name) => this.#queue.add(keyOf(name)),
      room: (signal) => this.#queue.room(signal),
    });
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
      finished: (key, verdict) => {
        this.#progress.forget(key);
        if (!(verdict.finished && verdict.forNow)) this.#ended(placeOf(key));
      },
      ...(backoff === undefined ? {} : { backoff }),
    });
    options.metrics.queue(() => ({
      depth: this.#queue.depth,
      oldestSeconds: this.#queue.age / 1000,
      waiting: this.#queue.waiting,
    }));
  }

  /** Follows all runs until aborted, as soon as this replica's share is known. */
  async follow(signal: AbortSignal): Promise<void> {
    await unlessAborted(signal, this.#options.membership.joined).catch(() => {});
    await this.#watches.follow(signal);
  }

  /** Ends all backoffs, since the cause of failures may be fixed. Begins handling if it has not begun. */
  hurry(): void {
    this.#queue.start();
    this.#queue.hurryAll();
  }

  /** The API server has answered a call. */
  apiServerAnswered(): void {
    this.#outages.answered(apiServer);
  }

  /** Other runs may be this replica's now. */
  shareChanged(): void {
    this.#watches.listAgain();
  }

  /** Takes nothing more, and resolves when everything in flight has ended. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  /** Why nothing is being signed: no try has begun or ended for longer than one may take; else undefined. */
  #standstill(): string | undefined {
    const timeout = this.#options.pipeline()?.config['limits.try-timeout'] ?? Number.POSITIVE_INFINITY;
    const { idle } = this.#queue;
    if (idle <= timeout + standstillAfter) return undefined;
    return `runs wait, and none was begun or ended for ${Math.round(idle / 1000)} s`;
  }

  #seen(object: JsonObject, bytes: number): void {
    try {
      const run = parseRun(object);
      // Most events are of finished runs, such as our own marks: they cost nothing more.
      if (endStateOf(run) !== undefined && ourFinalizers(run).length === 0) {
        this.#ended(run);
        return;
      }
      if (!this.#options.membership.owns(familyOf(run))) return;
      const urgency = run.deletedAt === undefined ? undefined : `deleted ${run.uid}`;
      const isUnfinished = run.progress.state === 'unfinished';
      const carried = isUnfinished ? { value: outlineOf(run), bytes: outlineBytes } : { value: run, bytes };
      this.#queue.add(keyOf(run), { ...carried, urgency, ...(isToBeHeld(run) ? untilSettled : {}) });
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

  async #handle(work: Work<Run>): Promise<Verdict> {
    const { kind, namespace, name } = placeOf(work.key);
    const { rest, log, metrics, membership, pipeline, traces } = this.#options;
    const [resource, current] = [this.#watches.resourceOf(kind), pipeline()];
    if (resource === undefined || current === undefined) {
      throw new ChainsError('UNEXPECTED', `${work.key} was handled before the controller was ready`);
    }
    const family: Family = {
      awaited: this.#awaited,
      isInHand: (taskRun) => this.#queue.has(`TaskRun ${taskRun}`),
    };
    const trying = membership.tries.begin();
    const isOurs = (run: Run): boolean => {
      const ofRun = familyOf(run);
      trying.ofFamily(ofRun);
      return membership.owns(ofRun);
    };
    const { signal } = trying;
    const around = {
      rest,
      resource,
      pipeline: current,
      family,
      progress: this.#progress,
      isOurs,
      log,
      metrics,
      traces,
      signal,
    };
    const endTry = this.#outages.begin(work.key);
    const verdict = await reconcile(work, { namespace, name }, around);
    trying.end();
    const instead = endTry(verdict.backends);
    return verdict.finished ? verdict : { ...verdict, instead };
  }
}

/**
 * When a run is held: once nobody has written on it for so many milliseconds, and at the latest after so many. Others write
 * its first states, and would make the call fail with 409. Short enough that none finishes and is deleted unseen.
 */
const untilSettled = { after: 200, restWithin: 1_000 } as const;

/** Bytes that the outline of a run is considered to take. */
const outlineBytes = 1 << 10;

/** A run with nothing of its object but its owners: all that holding it takes. */
function outlineOf(run: Run): Run {
  const { apiVersion, kind } = run;
  const ownerReferences = listAt(run.object, 'metadata', 'ownerReferences');
  return { ...run, object: { apiVersion, kind, metadata: { ownerReferences } } };
}

function isToBeHeld(run: Run): boolean {
  return (
    run.progress.state === 'unfinished' && run.deletedAt === undefined && ourFinalizers(run).length === 0
  );
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
