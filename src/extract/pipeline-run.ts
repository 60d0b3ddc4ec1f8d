import { ChainsError } from '../errors.ts';
import { at, isJsonObject, type JsonObject, listAt, textIn } from '../json.ts';
import type { GitSource, PipelineRunEvidence, PipelineTaskEvidence } from '../model/evidence.ts';
import type { Report } from '../model/problem.ts';
import { type PipelineRun, pipelineRun } from '../tekton/pipeline-run.ts';
import { read } from '../tekton/shape.ts';
import { pipelineRunAsV1 } from '../tekton/v1beta1.ts';
import { quote } from '../text.ts';
import { gitSource } from './git.ts';
import { hintsIn } from './hints.ts';
import { resultsAt } from './results.ts';
import { readTaskRun, type TaskRunReading } from './task-run.ts';

/** The label in which Tekton names the task of a pipeline that a TaskRun ran. */
const taskLabel = 'tekton.dev/pipelineTask';

/** How a PipelineRun is read. */
export interface PipelineRunReading {
  /** Receives what is wrong in the PipelineRun itself. */
  readonly report: Report;
  readonly ofTaskRuns: Omit<TaskRunReading, 'where'>;
}

/**
 * What a PipelineRun and its TaskRuns state for provenance (payloads.md, 5).
 * @param taskRuns those that ran its tasks, in order
 * @throws ChainsError RUN_UNREADABLE
 */
export function readPipelineRun(
  object: JsonObject,
  taskRuns: readonly JsonObject[],
  { report, ofTaskRuns }: PipelineRunReading,
): PipelineRunEvidence {
  const run = read(pipelineRun, pipelineRunAsV1(object));
  const { spec, status } = run;
  const key = at(object, 'status', 'pipelineResults') === undefined ? 'results' : 'pipelineResults';
  reportLeftOut(run, taskRuns, report);
  reportEmbedded(object, taskRuns, report);
  const results = resultsAt(`status.${key}`, status?.results);
  const specs = status?.pipelineSpec?.params;
  const reading = { report, asWritten: ofTaskRuns.asWritten };
  const hints = hintsIn(results, reading);
  const git = gitSource({ where: '', spec: 'pipelineSpec', specs, params: spec?.params, results }, reading);
  return { pipelineRun: run, hints, git: withUrl(git), tasks: tasksOf(run, taskRuns, ofTaskRuns) };
}

/** Unlike a TaskRun's, the commit of a PipelineRun needs a URL. */
function withUrl(source: GitSource): GitSource {
  return source.url === '' ? { url: '', commit: '' } : source;
}

/** The tasks of a pipeline: `tasks`, then `finally`. */
function pipelineTasks({ status }: PipelineRun): readonly Omit<PipelineTaskEvidence, 'taskRuns'>[] {
  const { tasks = [], finally: last = [] } = status?.pipelineSpec ?? {};
  return [
    ...tasks.map((task) => ({ task, isFinally: false })),
    ...last.map((task) => ({ task, isFinally: true })),
  ];
}

function taskNames(run: PipelineRun): ReadonlySet<string | undefined> {
  return new Set(pipelineTasks(run).map(({ task }) => task.name ?? ''));
}

function tasksOf(
  run: PipelineRun,
  taskRuns: readonly JsonObject[],
  reading: PipelineRunReading['ofTaskRuns'],
): readonly PipelineTaskEvidence[] | undefined {
  if (run.status?.pipelineSpec === undefined) return undefined;
  const names = taskNames(run);
  // Each TaskRun is read once, even if several tasks have its name, since formats compare what was read by identity.
  const children = taskRuns
    .map((object, index) => ({ label: labelOf(object), object, where: `taskRuns[${index}].` }))
    .filter(({ label }) => names.has(label))
    .map(({ label, object, where }) => {
      const { evidence } = readTaskRun(object, { ...reading, where });
      if (evidence instanceof ChainsError) throw evidence;
      return { label, evidence };
    });
  return pipelineTasks(run).map(({ task, isFinally }) => ({
    task,
    isFinally,
    taskRuns: children.filter(({ label }) => label === (task.name ?? '')).map(({ evidence }) => evidence),
  }));
}

/** Undefined where there is no such label; null is the empty text, as for Go. */
function labelOf(taskRun: JsonObject): string | undefined {
  const label = at(taskRun, 'metadata', 'labels', taskLabel);
  return label === null ? '' : typeof label === 'string' ? label : undefined;
}

function leftOut(kind: string, name: string, why: string): string {
  return `${kind} ${quote(name)} is left out of the provenance: ${why}`;
}

/** Reports the children of which old Tekton kept copies in the PipelineRun's status, where they don't exist any more. */
function reportEmbedded(object: JsonObject, taskRuns: readonly JsonObject[], report: Report): void {
  if (listAt(object, 'status', 'childReferences').length > 0) return;
  const existing = new Set(taskRuns.map((taskRun) => at(taskRun, 'metadata', 'name')));
  const kinds = [
    ['taskRuns', 'TaskRun', 'it is gone, and its copy in the PipelineRun is not enough'],
    ['runs', 'Run', 'it is not a TaskRun'],
  ] as const;
  for (const [key, kind, why] of kinds) {
    const embedded = at(object, 'status', key);
    for (const name of isJsonObject(embedded) ? Object.keys(embedded) : [])
      if (!existing.has(name)) report(`status.${key}`, leftOut(kind, name, why));
  }
}

/** Reports which children the provenance leaves out, and why. */
function reportLeftOut(run: PipelineRun, taskRuns: readonly JsonObject[], report: Report): void {
  const existing = new Set(taskRuns.map((object) => at(object, 'metadata', 'name')));
  for (const [index, { kind = '', name = '' }] of (run.status?.childReferences ?? []).entries()) {
    if (kind === 'TaskRun' && existing.has(name)) continue;
    const why = kind === 'TaskRun' ? 'it is gone' : 'it is not a TaskRun';
    report(`status.childReferences[${index}]`, leftOut(kind, name, why));
  }
  const names = taskNames(run);
  for (const [index, object] of taskRuns.entries()) {
    const isNamed = names.has(labelOf(object));
    if (isNamed && (at(object, 'status', 'completionTime') ?? undefined) !== undefined) continue;
    const why = isNamed
      ? 'it has not finished'
      : `its label ${taskLabel} names no task of status.pipelineSpec`;
    report(`taskRuns[${index}]`, leftOut('TaskRun', textIn(at(object, 'metadata', 'name')), why));
  }
}
