import type { Config } from '../config/keys.ts';
import { storageKeyOf } from '../model/artifact.ts';
import type { EndState } from '../model/marks.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Run } from '../model/run.ts';
import { messageOf } from './marking.ts';
import { graceEnds } from './policy.ts';

/** What follows from an outcome: the end of the run, or another try. */
export interface Judgement {
  /** Undefined when another try follows. */
  readonly end: { readonly state: EndState; readonly message: string } | undefined;
  /** The message on the run; empty when nothing failed. */
  readonly message: string;
  /** The shortest wait before another try in milliseconds, as a server asked for. */
  readonly again: number;
  /** Milliseconds until the last try. */
  readonly within: number;
}

/** What a judgement depends on in addition to the outcome. */
export interface JudgedBy {
  readonly failingSince: number | undefined;
  readonly config: Config;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Ends a run, or has it tried again while a failure may be temporary: until the deadline for retries, or the end of the
 * grace of a run that is being deleted.
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

/** The lines of a run's message: what failed, then what the configuration turns off and which hints are not valid. */
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
