import { type Circumstances, graceEnds } from '../decide/policy.ts';
import { unsignedAmong } from '../decide/waiting.ts';
import type { JsonObject } from '../json.ts';
import type { Resource } from '../kubernetes/call.ts';
import type { Rest } from '../kubernetes/rest.ts';
import { listTaskRuns } from '../kubernetes/task-runs.ts';
import { taskRunNames } from '../model/children.ts';
import type { Problem } from '../model/problem.ts';
import { type Run, runName } from '../model/run.ts';
import type { Span } from '../model/span.ts';

/** What is known of PipelineRuns and their TaskRuns besides the objects themselves. Names are `namespace/name`. */
export interface Family {
  readonly awaited: Awaited;
  /** Whether a TaskRun is in the queue right now: then it need not be asked for whether it is signed. */
  isInHand(taskRun: string): boolean;
}

/** A PipelineRun's TaskRuns, or those that it waits for. */
export type Gathered =
  | { readonly waitsFor: readonly string[] }
  | {
      readonly waitsFor?: undefined;
      readonly taskRuns: readonly JsonObject[];
      readonly problems: readonly Problem[];
    };

/** What gathering needs. */
export interface GatheringOptions {
  readonly rest: Rest;
  readonly resource: Resource;
  readonly family: Family;
  readonly circumstances: Circumstances;
  readonly signal: AbortSignal;
  /** The span that listing goes below. */
  readonly span?: Span | undefined;
}

/**
 * Collects the TaskRuns of a PipelineRun by one list call, once all of them are signed or failed (behaviour.md, "A run's
 * life"). One that is being deleted no longer waits when its grace is over. A TaskRun has none.
 */
export async function gather(run: Run, options: GatheringOptions): Promise<Gathered> {
  if (run.kind === 'TaskRun') return { taskRuns: [], problems: [] };
  const { rest, resource, family, circumstances, signal, span } = options;
  const { awaited } = family;
  const fullName = (name: string) => runName({ namespace: run.namespace, name });
  const [pipelineRun, names] = [runName(run), taskRunNames(run).map(fullName)];
  const grace = graceEnds(run, circumstances.deletionGrace);
  const mayWait = grace === undefined || circumstances.now < grace;
  const inHand = names.filter((name) => family.isInHand(name));
  if (mayWait && inHand.length > 0) {
    awaited.expect(pipelineRun, inHand);
    return { waitsFor: inHand };
  }
  awaited.expect(pipelineRun, names);
  // Ended, and so sent, where no other one is waited for.
  const listing = span?.begin('gather', {});
  const taskRuns = await listTaskRuns(rest, resource, run, signal);
  const unsigned = new Set(unsignedAmong(taskRuns, circumstances).map(fullName));
  for (const name of names) if (!unsigned.has(name)) awaited.ended(name);
  const left = awaited.left(pipelineRun);
  if (mayWait && left.length > 0) return { waitsFor: left };
  listing?.end({});
  awaited.forget(pipelineRun);
  const message = 'it is not signed, and the grace of the PipelineRun that is being deleted is over';
  return { taskRuns, problems: left.map((name) => ({ at: `TaskRun ${name}`, message })) };
}

/**
 * Which PipelineRuns wait for which TaskRuns, so that the last mark among those wakes its PipelineRun. Names are
 * `namespace/name`. A PipelineRun is entered before its TaskRuns are read, so that none that ends meanwhile is missed.
 */
export class Awaited {
  readonly #taskRunsOf = new Map<string, Set<string>>();
  readonly #pipelineRunOf = new Map<string, string>();

  /** A PipelineRun waits for these TaskRuns, and for no others. */
  expect(pipelineRun: string, taskRuns: Iterable<string>): void {
    this.forget(pipelineRun);
    this.#taskRunsOf.set(pipelineRun, new Set(taskRuns));
    for (const taskRun of this.left(pipelineRun)) this.#pipelineRunOf.set(taskRun, pipelineRun);
  }

  /** A TaskRun has its end state, or is gone. Returns the PipelineRun that waited for nothing else. */
  ended(taskRun: string): string | undefined {
    const pipelineRun = this.#pipelineRunOf.get(taskRun);
    if (pipelineRun === undefined) return undefined;
    this.#pipelineRunOf.delete(taskRun);
    const left = this.#taskRunsOf.get(pipelineRun);
    left?.delete(taskRun);
    return left?.size === 0 ? pipelineRun : undefined;
  }

  /** What a PipelineRun still waits for. */
  left(pipelineRun: string): readonly string[] {
    return [...(this.#taskRunsOf.get(pipelineRun) ?? [])];
  }

  /** A PipelineRun waits no longer. */
  forget(pipelineRun: string): void {
    for (const taskRun of this.left(pipelineRun)) this.#pipelineRunOf.delete(taskRun);
    this.#taskRunsOf.delete(pipelineRun);
  }
}
