import { type EventText, recordEvent } from '../kubernetes/events.ts';
import type { Resource } from '../kubernetes/call.ts';
import type { Rest } from '../kubernetes/rest.ts';
import { ChainsError, reasonOf } from '../errors.ts';
import {
  type EndState,
  endStateOf,
  messageMark,
  oldFinalizer,
  ourFinalizers,
  retriesMark,
} from '../model/marks.ts';
import type { Outcome } from '../model/outcome.ts';
import { parseRun, type Run } from '../model/run.ts';
import { inSpan, type Traces } from '../model/span.ts';
import { unlessAborted } from '../concurrency.ts';
import type { Pipeline } from '../pipeline.ts';
import { type Log, runFields } from '../telemetry/logs.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { decisionEvent, endEvent, refusedEvent, waitingEvent } from './announcements.ts';
import { waitingFor } from '../decide/waiting.ts';
import { type Family, gather } from './family.ts';
import { type Judgement, judge } from '../decide/judgement.ts';
import {
  afterWrite,
  type End,
  endStatement,
  holdStatement,
  messageOf,
  objectName,
  releasePatch,
  retryStatement,
} from '../decide/marking.ts';
import { type Circumstances, circumstancesOf, type Decision, decide, graceEnds } from '../decide/policy.ts';
import { apiServer } from './outages.ts';
import type { ProgressKept } from './progress-kept.ts';
import { beginTry } from './try-end.ts';
import { TryTrace } from './try-trace.ts';
import type { Verdict, Work } from './work.ts';

/** What reconciling needs; `pipeline` is the one in force when the run is begun. `signal` aborts everything. */
export interface ReconcileOptions {
  readonly rest: Rest;
  readonly resource: Resource;
  readonly pipeline: Pipeline;
  readonly family: Family;
  readonly progress: ProgressKept;
  /** Whether a run is this replica's to work on, at this moment. */
  readonly isOurs: (run: Run) => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined where traces are off. */
  readonly traces?: Traces | undefined;
  readonly signal: AbortSignal;
}

/** The same for one try, which has a trace, and a signal of its own for what may be slow. */
interface AroundTry extends ReconcileOptions {
  readonly working: AbortSignal;
  readonly trace: TryTrace;
}

const finished: Verdict = { finished: true };
const finishedForNow: Verdict = { finished: true, forNow: true };

/** Tries that fail for the same reason, of which one writes how many there were. */
const sayAgainEvery = 10;

/** Milliseconds after which a PipelineRun that waits is looked at again, though none of its TaskRuns was seen to end. */
const lookAgainAfter = 120_000;

/**
 * Brings one run a step towards its end state. Never throws: every failure is a verdict, with its reason logged. It is
 * done within `limits.try-timeout` and the half minute that reporting a failure may take.
 */
export async function reconcile(
  work: Work<Run>,
  name: { namespace: string; name: string },
  surroundings: ReconcileOptions,
): Promise<Verdict> {
  const timeout = surroundings.pipeline.config['limits.try-timeout'];
  const signals = beginTry({ timeout, cut: work.signal, stop: surroundings.signal });
  const trace = new TryTrace(surroundings.traces, surroundings.log);
  const around = { ...surroundings, signal: signals.everything, working: signals.working, trace };
  try {
    return await unlessAborted(signals.everything, attempt(work, name, around));
  } catch (error) {
    const { log } = trace;
    if (!surroundings.signal.aborted) trace.ended('retry', error);
    if (work.value !== undefined) await announce(work.value, refusedEvent(error), { ...around, log });
    return afterError(error, work, { ...surroundings, log });
  } finally {
    signals.close();
    trace.close();
  }
}

async function attempt(
  work: Work<Run>,
  name: { namespace: string; name: string },
  around: AroundTry,
): Promise<Verdict> {
  const run = work.value ?? parseRun(await around.rest.get(around.resource, name, around.working));
  // Another replica works on it, or waits until this one stops.
  if (!around.isOurs(run)) return finishedForNow;
  const circumstances = circumstancesOf(around.pipeline.config, new Date());
  const decision = decide(run, circumstances);
  around.log.debug(`${decision.action}: ${decision.reason}`, runFields(run));
  await announce(run, decisionEvent(decision, around.pipeline.config), around);
  return steps[decision.action](run, { decision, circumstances, work, around });
}

interface Situation {
  readonly decision: Decision;
  readonly circumstances: Circumstances;
  readonly work: Work<Run>;
  readonly around: AroundTry;
}

const steps: { readonly [A in Decision['action']]: (run: Run, situation: Situation) => Promise<Verdict> } = {
  skip: async () => finished,
  wait,
  hold,
  release,
  sign,
};

async function wait(_run: Run, { decision }: Situation): Promise<Verdict> {
  if (decision.action !== 'wait' || decision.until === undefined) return finishedForNow;
  const again = Math.max(0, decision.until.getTime() - Date.now());
  return { finished: false, failed: false, stale: true, again };
}

async function hold(run: Run, { around }: Situation): Promise<Verdict> {
  const { rest, resource, signal } = around;
  const held = afterWrite(run, await rest.apply(resource, objectName(run), holdStatement(run), signal));
  if (held.finalizers.includes(oldFinalizer)) {
    await rest.mergePatch(resource, objectName(run), releasePatch(held, [oldFinalizer]), signal);
  }
  return finishedForNow;
}

async function release(run: Run, { decision, around }: Situation): Promise<Verdict> {
  await takeFinalizersOff(run, endStateOf(run), around);
  around.log.info(`released: ${decision.reason}`, runFields(run));
  return finished;
}

async function sign(run: Run, { work, around: untraced, circumstances }: Situation): Promise<Verdict> {
  const { working, progress, trace } = untraced;
  trace.begin(run, work.failures + 1);
  const around = { ...untraced, log: trace.log };
  const { span } = trace;
  const gathered = await gather(run, { ...around, signal: working, circumstances, span });
  if (gathered.waitsFor !== undefined) {
    trace.forget();
    return waitForTaskRuns(run, gathered.waitsFor, { around: untraced, circumstances });
  }
  const { taskRuns, problems } = gathered;
  const earlier = progress.of(work.key);
  const processed = await around.pipeline.process(run, { taskRuns, signal: working, earlier, span });
  // Another try may have begun by now, or this process is about to end.
  if (around.signal.aborted) return finishedForNow;
  progress.keep(work.key, processed.progress);
  const outcome = { ...processed, problems: [...problems, ...processed.problems] };
  for (const { artifact, stage, error } of outcome.failures) {
    around.metrics.failed(run.kind, stage);
    const fields = { artifact: artifact.key, code: error.code, attempt: work.failures + 1 };
    around.log.warn(`${stage}: ${error.message}`, { ...runFields(run), ...fields });
  }
  const judgement = judge(run, outcome, {
    failingSince: work.failingSince,
    config: around.pipeline.config,
    now: Date.now(),
  });
  if (judgement.end === undefined) {
    trace.ended('retry', outcome.failures[0]?.error);
    const stale = await sayWhyLater(run, judgement, work, around);
    const { again, within } = judgement;
    return { finished: false, failed: true, stale, again, within, backends: outcome.backends };
  }
  const end = { ...judgement.end, failures: work.failures, annotations: outcome.annotations };
  const state = await inSpan(span, 'mark', {}, () => finish(run, end, outcome, around));
  trace.ended(state === 'true' ? 'signed' : 'failed', outcome.failures[0]?.error);
  return { finished: true, backends: outcome.backends };
}

/** The mark of the last one wakes the PipelineRun; if that is missed, it is looked at again after a while. */
async function waitForTaskRuns(
  run: Run,
  names: readonly string[],
  { around, circumstances }: Pick<Situation, 'around' | 'circumstances'>,
): Promise<Verdict> {
  around.log.debug(waitingFor(names), runFields(run));
  const waitedSince = run.completedAt?.getTime() ?? circumstances.now.getTime();
  if (circumstances.now.getTime() - waitedSince >= lookAgainAfter)
    await announce(run, waitingEvent(waitingFor(names)), around);
  const grace = graceEnds(run, circumstances.deletionGrace)?.getTime() ?? Number.POSITIVE_INFINITY;
  const again = Math.min(lookAgainAfter, Math.max(0, grace - circumstances.now.getTime()));
  return { finished: false, failed: false, stale: false, again };
}

/** Writes on a run why it could not be signed yet; nothing is sent if it says so already. Returns whether it was written. */
async function sayWhyLater(
  run: Run,
  { message }: Judgement,
  work: Work<Run>,
  { rest, resource, signal }: ReconcileOptions,
): Promise<boolean> {
  const isSaid = run.annotations[messageMark] === message && run.annotations[retriesMark] !== undefined;
  if (isSaid && work.failures % sayAgainEvery !== 0) return false;
  await rest.apply(resource, objectName(run), retryStatement(run, work.failures + 1, message), signal);
  return true;
}

async function finish(run: Run, wanted: End, outcome: Outcome, around: ReconcileOptions): Promise<EndState> {
  const { marked, end } = await mark(run, wanted, around);
  if (ourFinalizers(marked).length > 0) await takeFinalizersOff(marked, end.state, around);
  const seconds = run.completedAt === undefined ? undefined : (Date.now() - run.completedAt.getTime()) / 1000;
  around.metrics.marked(run.kind, seconds);
  if (end.state === 'true')
    around.log.info(end.message === '' ? 'signed' : `signed: ${end.message}`, runFields(run));
  await announce(run, endEvent(run, end, outcome, around.pipeline.config), around);
  return end.state;
}

/** The API server may refuse the mark with the payloads and accept it without: the run must get its end state. */
async function mark(
  run: Run,
  wanted: End,
  { rest, resource, log, signal }: ReconcileOptions,
): Promise<{ readonly marked: Run; readonly end: End }> {
  const state = async (end: End) => {
    const answer = await rest.apply(resource, objectName(run), endStatement(run, end), signal);
    return { marked: afterWrite(run, answer), end };
  };
  try {
    return await state(wanted);
  } catch (error) {
    if (!(error instanceof ChainsError) || !tooMuch(error)) throw error;
    log.warn(`marking the run without its payloads: ${error.message}`, runFields(run));
    const message = messageOf([`the API server refused the payloads: ${error.message}`, wanted.message]);
    return state({ ...wanted, state: 'failed', message, annotations: {} });
  }
}

/** True where a smaller write may pass: 413 and 422, and the 500 in which kube-apiserver wraps etcd's own limit. */
function tooMuch(error: ChainsError): boolean {
  return error.status === 413 || error.status === 422 || /request is too large|too long/i.test(error.message);
}

async function takeFinalizersOff(
  run: Run,
  state: EndState | undefined,
  around: ReconcileOptions,
): Promise<void> {
  const patch = releasePatch(run, ourFinalizers(run), state);
  await around.rest.mergePatch(around.resource, objectName(run), patch, around.signal);
}

/** Writes a log line and an Event on the run; a failure to write the Event doesn't stop the run. */
async function announce(run: Run, event: EventText | undefined, around: ReconcileOptions): Promise<void> {
  if (event === undefined) return;
  const { type, reason, message } = event;
  around.log[type === 'Warning' ? 'warn' : 'debug'](`${reason}: ${message}`, runFields(run));
  try {
    await recordEvent(around.rest, run, event, around.signal);
  } catch (error) {
    around.log.warn(`the Event ${reason} could not be written: ${reasonOf(error)}`, runFields(run));
  }
}

function afterError(error: unknown, { key }: Work<Run>, { log, signal }: ReconcileOptions): Verdict {
  if (signal.aborted) return finishedForNow;
  const known = error instanceof ChainsError ? error : undefined;
  if (known?.status === 404) return finished;
  if (known?.code === 'CLUSTER_CONFLICT') {
    log.debug(`${key} changed meanwhile: looking again`);
    return { finished: false, failed: false, stale: true, again: 100 + 200 * Math.random() };
  }
  log.error(`${key}: ${reasonOf(error)}`, { code: known?.code });
  if (known?.code === 'RUN_UNREADABLE') return finished;
  // Without an answer it is unknown whether the write took effect; with one it did not.
  return {
    ...{ finished: false, failed: true, stale: known?.status === undefined, again: known?.retryAfter ?? 0 },
    backends: { unavailable: known?.code === 'CLUSTER_UNAVAILABLE' ? [apiServer] : [], answered: [] },
  };
}
