import type { Config } from '../config/keys.ts';
import { storageKeyOf } from '../model/artifact.ts';
import type { EndState } from '../model/marks.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Run } from '../model/run.ts';
import { messageOf } from './marking.ts';
import { graceEnds } from './policy.ts';

/** What follows from an outcome: the run's end, or another try. */
export interface Judgement {
  /** Undefined when it is to be tried again. */
  readonly end: { readonly state: EndState; readonly message: string } | undefined;
  /** What to say on the run; empty when all went well. */
  readonly message: string;
  /** Milliseconds to wait at least before another try, as a server asked for. */
  readonly again: number;
  /** Milliseconds until the last try. */
  readonly within: number;
}

/** What a judgement depends on besides the outcome. */
export interface JudgedBy {
  readonly failingSince: number | undefined;
  readonly config: Config;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Ends a run, or gives it another try: as long as a failure may pass, and until the deadline for retries, or the grace
 * of a run that is being deleted.
 */
export function judge(run: Run, outcome: Outcome, { failingSince, config, now }: JudgedBy): Judgement {
  const { failures } = outcome;
  const reported = reportOf(outcome);
  const message = messageOf([...reported.errors, ...reported.warnings]);
  const deadline = (failingSince ?? now) + config['signing.retry-deadline'];
  const grace = graceEnds(run, config['signing.deletion-grace'])?.getTime() ?? Number.POSITIVE_INFINITY;
  const within = Math.min(deadline, grace) - now;
  const again = Math.max(0, ...failures.map(({ error }) => error.retryAfter ?? 0));
  const mayPass = failures.some(({ error }) => !error.terminal) && within > 0;
  const state = failures.length === 0 ? 'true' : 'failed';
  return { end: mayPass ? undefined : { state, message }, message, again, within };
}

/** What a run's message says of an outcome: what failed, then what was left out on purpose or is not a hint, one line each. */
export function reportOf({ failures, off, problems }: Pick<Outcome, 'failures' | 'off' | 'problems'>): {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
} {
  return {
    errors: failures.map(
      ({ artifact, error }) => `${artifact.kind} ${storageKeyOf(artifact)}: ${error.message}`,
    ),
    warnings: [...off, ...problems.map(({ at, message }) => `${at}: ${message}`)],
  };
}
