import type { Config } from '../config/keys.ts';
import { parseConfig } from '../config/parse.ts';
import type { Plan } from '../config/plan.ts';
import { unsignedAmong, waitingFor } from '../decide/waiting.ts';
import { circumstancesOf, type Decision, decide } from '../decide/policy.ts';
import { ChainsError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { Failure } from '../model/outcome.ts';
import type { Problem } from '../model/problem.ts';
import { parseRun, type Run } from '../model/run.ts';
import type { Draft } from '../drafts.ts';
import { openPipeline, type Pipeline } from '../pipeline.ts';
import { foreseeTooLarge } from '../store/tekton.ts';
import type { Secrets } from '../sign/index.ts';

/** A run to examine. */
export interface RunInput {
  /** A TaskRun or PipelineRun, as `kubectl get -o json` gives it. */
  readonly run: unknown;
  /** The TaskRuns of a PipelineRun, in order. */
  readonly taskRuns?: readonly unknown[];
  /** The `data` of a ConfigMap `chains-config`; defaults otherwise. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** What would be done with a run now, and why. */
export interface Outlook {
  readonly action: 'sign' | 'skip' | 'wait';
  readonly reason: string;
}

/** A run, what would be done with it, and what would be signed of it. */
export interface Examination {
  readonly run: Run;
  readonly config: Config;
  readonly outlook: Outlook;
  readonly drafts: readonly Draft[];
  readonly problems: readonly Problem[];
  /** Keys of the configuration that aren't known. */
  readonly warnings: readonly string[];
}

/** Examines a run; signs and writes nothing. @throws ChainsError CONFIG_INVALID, or RUN_UNREADABLE when it is not a run. */
export async function examine(input: RunInput): Promise<Examination> {
  return withPipeline(input, { folder: '', files: new Map() }, async (_, examination) => ({
    ...examination,
    problems: [...examination.problems, ...tooLargeFor(examination)],
  }));
}

/** What will not fit in the run's annotations. */
function tooLargeFor({ run, drafts }: Examination): readonly Problem[] {
  const kept = drafts.flatMap(({ artifact, plan, payload }) =>
    isKeptOnRun(plan) && !(payload instanceof ChainsError) ? [{ artifact, payload }] : [],
  );
  return noRoom(foreseeTooLarge(run, kept)).map(({ at, message }) => ({
    at,
    message: `${message} (with the shortest possible signature)`,
  }));
}

/** Whether the configuration keeps the artifact in the run's annotations. */
export function isKeptOnRun({ off, stores }: Plan): boolean {
  return off === undefined && stores.includes('tekton');
}

/** What doesn't fit in the run's annotations, as problems. */
export function noRoom(tooLarge: readonly Failure[]): readonly Problem[] {
  return tooLarge.map(({ error }) => ({ at: 'metadata.annotations', message: error.message }));
}

/** Examines a run, and does some work while the pipeline is open. @throws ChainsError CONFIG_INVALID, RUN_UNREADABLE */
export async function withPipeline<T>(
  { run: object, taskRuns: given = [], config: data = {} }: RunInput,
  secrets: Secrets,
  work: (pipeline: Pipeline, examination: Examination) => Promise<T>,
): Promise<T> {
  if (!isJsonObject(data))
    throw new ChainsError('CONFIG_INVALID', 'the configuration is not a map of keys and values');
  if (!Array.isArray(given)) throw new ChainsError('RUN_UNREADABLE', 'taskRuns is not a list');
  const { config, warnings } = parseConfig(data);
  const run = parseRun(object);
  const taskRuns = given.map((taskRun: unknown, index) => {
    if (isJsonObject(taskRun)) return taskRun;
    throw new ChainsError('RUN_UNREADABLE', `taskRuns[${index}] is not an object`);
  });
  const pipeline = openPipeline({ config, secrets });
  try {
    const drafted = await pipeline.draft(run, taskRuns);
    const outlook = outlookFor(run, taskRuns, config);
    return await work(pipeline, { ...drafted, run, config, outlook, warnings });
  } finally {
    await pipeline.close();
  }
}

function outlookFor(run: Run, taskRuns: readonly JsonObject[], config: Config): Outlook {
  const circumstances = circumstancesOf(config, new Date());
  const { action, reason } = decide(run, circumstances);
  const unsigned =
    action === 'sign' && run.kind === 'PipelineRun' ? unsignedAmong(taskRuns, circumstances) : [];
  return unsigned.length > 0
    ? { action: 'wait', reason: waitingFor(unsigned) }
    : { action: actions[action], reason };
}

/** The controller's decisions without those about finalizers. */
const actions: Readonly<Record<Decision['action'], Outlook['action']>> = {
  sign: 'sign',
  skip: 'skip',
  release: 'skip',
  wait: 'wait',
  hold: 'wait',
};
