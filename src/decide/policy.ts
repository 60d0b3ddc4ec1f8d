import type { Config } from '../config/keys.ts';
import { endStateOf, finalizers, oldFinalizer, ourFinalizers } from '../model/marks.ts';
import type { Run } from '../model/run.ts';

/**
 * What to do with a run now, and why: `skip` it for good; `wait` until it changes or until a moment; `hold` it with our
 * finalizer; `sign` it; `release` it from our finalizer.
 */
export type Decision = { readonly reason: string; readonly event?: DecisionEvent } & (
  | { readonly action: 'skip' | 'hold' | 'sign' | 'release' }
  | { readonly action: 'wait'; readonly until?: Date }
);

/** The Event for a decision that keeps a run unsigned. */
export type DecisionEvent = 'Held' | 'NotSigned' | 'Skipped' | 'Unreadable';

/** What decisions depend on in addition to the run. */
export interface Circumstances {
  /** `filter.managed-by`: the values of `spec.managedBy` that are accepted in addition to Tekton's own. */
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

/** The rules in order; the first that returns a decision applies (behaviour.md, "A run's life"). */
const rules: readonly Rule[] = [
  skipManagedElsewhere,
  skipMarked,
  waitForDeletedUntilGraceEnds,
  waitWhileUnreadable,
  holdUntilDone,
];

/** Decides what to do with a run. Pure: the same run and circumstances give the same decision. */
export function decide(run: Run, circumstances: Circumstances): Decision {
  for (const rule of rules) {
    const decision = rule(run, circumstances);
    if (decision !== undefined) return decision;
  }
  return { action: 'sign', reason: 'it is done and not signed yet' };
}

/** The moment from which a run that is being deleted is released, signed or not. */
export function graceEnds(run: Run, deletionGrace: number): Date | undefined {
  return run.deletedAt === undefined ? undefined : new Date(run.deletedAt.getTime() + deletionGrace);
}

function skipManagedElsewhere(run: Run, { managedBy }: Circumstances): Decision | undefined {
  if ([undefined, 'tekton.dev/pipeline', ...managedBy].includes(run.managedBy)) return undefined;
  const reason = `spec.managedBy is ${JSON.stringify(run.managedBy)}, which filter.managed-by does not list`;
  return { ...letGo(run, reason), ...(run.progress.state === 'done' ? { event: 'Skipped' } : {}) };
}

function skipMarked(run: Run): Decision | undefined {
  const endState = endStateOf(run);
  return endState === undefined ? undefined : letGo(run, `it is already marked signed: ${endState}`);
}

function waitForDeletedUntilGraceEnds(run: Run, { deletionGrace, now }: Circumstances): Decision | undefined {
  const until = graceEnds(run, deletionGrace);
  if (until === undefined || run.progress.state === 'done') return undefined;
  const reason = run.progress.state === 'unreadable' ? run.progress.message : 'it never finished';
  if (ourFinalizers(run).length === 0 || now >= until) {
    return { ...letGo(run, `it is being deleted and cannot be signed: ${reason}`), event: 'NotSigned' };
  }
  const held = `it is being deleted unfinished, and is held until its grace ends at ${until.toISOString()}`;
  return { action: 'wait', reason: held, until, event: 'Held' };
}

function waitWhileUnreadable({ progress }: Run): Decision | undefined {
  return progress.state === 'unreadable'
    ? { action: 'wait', reason: progress.message, event: 'Unreadable' }
    : undefined;
}

function holdUntilDone(run: Run): Decision | undefined {
  if (run.progress.state === 'done') return undefined;
  const isHeld = run.finalizers.includes(finalizers[run.kind]) && !run.finalizers.includes(oldFinalizer);
  return { action: isHeld ? 'wait' : 'hold', reason: 'it has not finished' };
}

function letGo(run: Run, reason: string): Decision {
  return { action: ourFinalizers(run).length > 0 ? 'release' : 'skip', reason };
}
