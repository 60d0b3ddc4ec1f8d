import type { Config } from '../config/keys.ts';
import { endStateOf, finalizers, oldFinalizer, ourFinalizers } from '../model/marks.ts';
import type { Run } from '../model/run.ts';

/**
 * What to do with a run now, and why:
 * `skip` nothing, ever; `wait` nothing until it changes or `until` comes; `hold` put our finalizer on it;
 * `sign` it; `release` take our finalizer off it.
 */
export type Decision = { readonly reason: string; readonly event?: DecisionEvent } & (
  | { readonly action: 'skip' | 'hold' | 'sign' | 'release' }
  | { readonly action: 'wait'; readonly until?: Date }
);

/** The Event for a decision that keeps a run unsigned. */
export type DecisionEvent = 'Held' | 'NotSigned' | 'Skipped' | 'Unreadable';

/** What decisions depend on besides the run. */
export interface Circumstances {
  /** `filter.managed-by`: values of `spec.managedBy` that are ours besides Tekton's own. */
  readonly managedBy: readonly string[];
  /** `signing.deletion-grace` in milliseconds. */
  readonly deletionGrace: number;
  readonly now: Date;
}

/** The circumstances under a configuration, at this moment. */
export function circumstancesOf(config: Config, now: Date): Circumstances {
  return { managedBy: config['filter.managed-by'], deletionGrace: config['signing.deletion-grace'], now };
}

type Rule = (run: Run, circumstances: Circumstances) => Decision | undefined;

/** The rules in their order; the first that has an answer decides (behaviour.md, "A run's life"). */
const rules: readonly Rule[] = [managedElsewhere, alreadyMarked, deletedTooEarly, unreadable, unfinished];

/** Decides what to do with a run. Pure: the same run and circumstances give the same decision. */
export function decide(run: Run, circumstances: Circumstances): Decision {
  for (const rule of rules) {
    const decision = rule(run, circumstances);
    if (decision !== undefined) return decision;
  }
  return { action: 'sign', reason: 'it is done and not signed yet' };
}

/** The moment from which a run that is being deleted is let go, signed or not. */
export function graceEnds(run: Run, deletionGrace: number): Date | undefined {
  return run.deletedAt === undefined ? undefined : new Date(run.deletedAt.getTime() + deletionGrace);
}

function managedElsewhere(run: Run, { managedBy }: Circumstances): Decision | undefined {
  if (
    run.managedBy === undefined ||
    run.managedBy === 'tekton.dev/pipeline' ||
    managedBy.includes(run.managedBy)
  ) {
    return undefined;
  }
  const reason = `spec.managedBy is ${JSON.stringify(run.managedBy)}, which filter.managed-by does not list`;
  return { ...letGo(run, reason), ...(run.progress.state === 'done' ? { event: 'Skipped' } : {}) };
}

function alreadyMarked(run: Run): Decision | undefined {
  const endState = endStateOf(run);
  return endState === undefined ? undefined : letGo(run, `it is already marked signed: ${endState}`);
}

function deletedTooEarly(run: Run, { deletionGrace, now }: Circumstances): Decision | undefined {
  const until = graceEnds(run, deletionGrace);
  if (until === undefined || run.progress.state === 'done') return undefined;
  const reason = run.progress.state === 'unreadable' ? run.progress.message : 'it never finished';
  if (ourFinalizers(run).length === 0 || now >= until) {
    return { ...letGo(run, `it is being deleted and cannot be signed: ${reason}`), event: 'NotSigned' };
  }
  const held = `it is being deleted unfinished, and is held until its grace ends at ${until.toISOString()}`;
  return { action: 'wait', reason: held, until, event: 'Held' };
}

function unreadable(run: Run): Decision | undefined {
  if (run.progress.state !== 'unreadable') return undefined;
  return { action: 'wait', reason: run.progress.message, event: 'Unreadable' };
}

function unfinished(run: Run): Decision | undefined {
  if (run.progress.state === 'done') return undefined;
  const held = run.finalizers.includes(finalizers[run.kind]) && !run.finalizers.includes(oldFinalizer);
  return { action: held ? 'wait' : 'hold', reason: 'it has not finished' };
}

function letGo(run: Run, reason: string): Decision {
  return { action: ourFinalizers(run).length > 0 ? 'release' : 'skip', reason };
}
