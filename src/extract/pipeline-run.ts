import { ChainsError } from '../model/errors.ts';
import type { PipelineRunEvidence, PipelineTaskEvidence, TaskRunEvidence } from '../model/evidence.ts';
import { at, type JsonObject } from '../model/json.ts';
import type { Report } from '../model/problem.ts';
import { type PipelineRun, pipelineRun } from '../model/tekton/pipeline-run.ts';
import type { PipelineTask } from '../model/tekton/pipeline.ts';
import { read } from '../model/tekton/shape.ts';
import { pipelineRunAsV1 } from '../model/tekton/v1beta1.ts';
import { gitSource } from './git.ts';
import { hintsIn } from './hints-in.ts';
import { quote } from './quote.ts';
import { resultsAt } from './results.ts';
import { type Reading, readTaskRun } from './task-run.ts';

/** The label by which Tekton says which task of a pipeline a TaskRun ran. */
const taskLabel = 'tekton.dev/pipelineTask';

/** A PipelineRun with the TaskRuns that ran its tasks, in order. */
export interface PipelineRunObjects {
  readonly object: JsonObject;
  readonly taskRuns: readonly JsonObject[];
}

/** What a PipelineRun and its TaskRuns state for provenance (payloads.md, 5). @throws ChainsError RUN_UNREADABLE */
export function readPipelineRun(
  { object, taskRuns }: PipelineRunObjects,
  report: Report,
  reading: Omit<Reading, 'where'>,
): PipelineRunEvidence {
  const run = read(pipelineRun, pipelineRunAsV1(object));
  const { spec, status } = run;
  const key = at(object, 'status', 'pipelineResults') === undefined ? 'results' : 'pipelineResults';
  reportLeftOut(run, taskRuns, report);
  return {
    pipelineRun: run,
    hints: hintsIn(resultsAt(`status.${key}`, status?.results), report),
    git: gitSource({
      specs: status?.pipelineSpec?.params,
      params: spec?.params,
      results: status?.results,
    }),
    tasks: tasksOf(run, taskRuns, reading),
  };
}

function tasksOf(
  { status }: PipelineRun,
  taskRuns: readonly JsonObject[],
  reading: Omit<Reading, 'where'>,
): readonly PipelineTaskEvidence[] | undefined {
  const { pipelineSpec } = status ?? {};
  if (pipelineSpec === undefined) return undefined;
  const evidence = (task: PipelineTask, isFinally: boolean): PipelineTaskEvidence => ({
    task,
    isFinally,
    taskRuns: taskRuns
      .map((object, index) => ({ object, where: `taskRuns[${index}].` }))
      .filter(({ object }) => labelOf(object) === (task.name ?? ''))
      .map(({ object, where }) => evidenceOf(object, { ...reading, where })),
  });
  return [
    ...(pipelineSpec.tasks ?? []).map((task) => evidence(task, false)),
    ...(pipelineSpec.finally ?? []).map((task) => evidence(task, true)),
  ];
}

function evidenceOf(object: JsonObject, reading: Reading): TaskRunEvidence {
  const { evidence } = readTaskRun(object, reading);
  if (evidence instanceof ChainsError) throw evidence;
  return evidence;
}

function labelOf(taskRun: JsonObject): unknown {
  return at(taskRun, 'metadata', 'labels', taskLabel);
}

/** Tells which children the provenance will not speak of, and why. */
function reportLeftOut({ status }: PipelineRun, taskRuns: readonly JsonObject[], report: Report): void {
  const names = new Set(taskRuns.map((object) => at(object, 'metadata', 'name')));
  for (const [index, { kind = '', name = '' }] of (status?.childReferences ?? []).entries()) {
    const why = kind === 'TaskRun' ? (names.has(name) ? undefined : 'it is gone') : 'it is no TaskRun';
    if (why !== undefined) {
      report(
        `status.childReferences[${index}]`,
        `${kind} ${quote(name)} is left out of the provenance: ${why}`,
      );
    }
  }
  const { tasks = [], finally: last = [] } = status?.pipelineSpec ?? {};
  const known = new Set<unknown>([...tasks, ...last].map((task) => task.name ?? ''));
  for (const [index, object] of taskRuns.entries()) {
    const why = known.has(labelOf(object))
      ? (at(object, 'status', 'completionTime') ?? undefined) === undefined && 'it has not finished'
      : `its label ${taskLabel} names no task of status.pipelineSpec`;
    if (why) {
      const name = quote(String(at(object, 'metadata', 'name') ?? ''));
      report(`taskRuns[${index}]`, `TaskRun ${name} is left out of the provenance: ${why}`);
    }
  }
}
