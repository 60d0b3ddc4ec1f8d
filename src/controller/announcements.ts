import type { Config } from '../config/keys.ts';
import type { EventText } from '../kubernetes/events.ts';
import { ChainsError, errorCodes } from '../errors.ts';
import { signedMark } from '../model/marks.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Run } from '../model/run.ts';
import type { End } from '../decide/marking.ts';
import type { Decision, DecisionEvent } from '../decide/policy.ts';

const decisionTypes: { readonly [E in DecisionEvent]: EventText['type'] } = {
  Held: 'Normal',
  NotSigned: 'Warning',
  Skipped: 'Normal',
  Unreadable: 'Warning',
};

/** The Event that says why a run isn't signed, where the decision has one; `Skipped` only when asked for. */
export function decisionEvent({ event, action, reason }: Decision, config: Config): EventText | undefined {
  if (event === undefined || (event === 'Skipped' && !config['events.skipped'])) return undefined;
  // A run that never had our finalizer could be deleted at any time, which is no news.
  if (event === 'NotSigned' && action === 'skip') return undefined;
  return { type: decisionTypes[event], reason: event, message: reason };
}

/**
 * The Event that says how a run ended: `SigningFailed` with why and what next; `Signed` with where it is, as
 * `events.signed` wants it; `Skipped`, as `events.skipped` wants it, when all of it is turned off.
 */
export function endEvent(run: Run, end: End, outcome: Outcome, config: Config): EventText | undefined {
  if (end.state === 'failed') return signingFailed(run, end, outcome);
  if (outcome.signed.length > 0) return wantsSigned(outcome, config) ? signed(outcome) : undefined;
  if (!config['events.skipped']) return undefined;
  return { type: 'Normal', reason: 'Skipped', message: end.message || 'there is nothing to sign in it' };
}

/** The Event of a PipelineRun that finished long ago and still waits for its TaskRuns. */
export function waitingEvent(message: string): EventText {
  return { type: 'Normal', reason: 'Waiting', message };
}

/** The Event of a run that the API server doesn't let us change; undefined for any other error. */
export function refusedEvent(error: unknown): EventText | undefined {
  if (!(error instanceof ChainsError) || error.code !== 'CLUSTER_REFUSED' || error.status === 404)
    return undefined;
  return {
    type: 'Warning',
    reason: 'NotMarked',
    message: `${error.message}. It is tried again. ${errorCodes.CLUSTER_REFUSED.remedy}`,
  };
}

/** With `auto`, unless annotations say so already. */
function wantsSigned({ places }: Outcome, config: Config): boolean {
  const elsewhere = [...places.keys()].some((store) => store !== 'tekton' && store !== 'transparency');
  return config['events.signed'] === 'true' || (config['events.signed'] === 'auto' && elsewhere);
}

function signed({ places }: Outcome): EventText {
  const message = [...places].map(([store, where]) => `${store}: ${where.join(', ')}`).join('; ');
  return { type: 'Normal', reason: 'Signed', message };
}

/** Characters for the reason, so that the rest of the message fits too; an Event's message has 1,024 bytes. */
const roomForReason = 500;

function signingFailed(run: Run, { message, failures }: End, outcome: Outcome): EventText {
  const why =
    message.length <= roomForReason ? message : `${message.slice(0, roomForReason).toWellFormed()}…`;
  const tries = failures === 0 ? '' : ` (tried ${failures + 1} times)`;
  return { type: 'Warning', reason: 'SigningFailed', message: `${why}${tries}. ${nextStep(run, outcome)}` };
}

/** What to fix, and how the run is signed after that. */
function nextStep({ kind, namespace, name }: Run, { failures }: Outcome): string {
  const [error] = failures.map((failure) => failure.error);
  const remedy = error?.terminal === true ? errorCodes[error.code].remedy : undefined;
  const advice = error?.hint ?? remedy ?? 'Mend what the message names.';
  const run = `${kind.toLowerCase()} ${name} -n ${namespace} ${signedMark}-`;
  return `${advice} To have it signed then: kubectl annotate ${run}; kubectl label ${run}`;
}
