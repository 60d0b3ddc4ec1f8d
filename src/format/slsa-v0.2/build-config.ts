import { ChainsError } from '../../errors.ts';
import type { PipelineRunEvidence, TaskRunEvidence } from '../../model/evidence.ts';
import type { Report } from '../../model/problem.ts';
import { taskRef } from '../../tekton/params.ts';
import type { RefSource } from '../../tekton/provenance.ts';
import { list, written } from '../../tekton/shape.ts';
import type { Step } from '../../tekton/task.ts';
import { type StepState, type TaskRun, taskRunResult } from '../../tekton/task-run.ts';
import { withShortFraction } from '../../tekton/time.ts';
import { imageUri } from '../materials.ts';
import { listOrAbsent, textOrAbsent } from '../statement.ts';
import { taskRunInvocation } from './invocation.ts';
import { tasksReferredTo } from './references.ts';

/** A step: what was to be run, and in which image it ran (payloads.md, 7.2). */
export function buildStep(
  { script = '', command = [], args }: Step,
  { imageID = '', name = '' }: StepState,
): object {
  return {
    entryPoint: script === '' ? command.join(' ') : script,
    arguments: args ?? null,
    environment: { image: imageUri(imageID), container: name },
    annotations: null,
  };
}

/** A source as invocations show it. */
type SourceOf = (source: RefSource | undefined) => RefSource | undefined;

/** The TaskRuns of a PipelineRun, task by task (payloads.md, 8); null without a pipeline. @throws ChainsError RUN_UNREADABLE */
export function buildTasks(
  { pipelineRun, tasks }: PipelineRunEvidence,
  sourceOf: SourceOf,
  report: Report,
): readonly object[] | null {
  if (tasks === undefined) return null;
  // Finally tasks run last, so no task that ran comes after one of them.
  const last =
    tasks.findLast(({ isFinally, taskRuns }) => !isFinally && taskRuns.length > 0)?.task.name ?? '';
  return tasks.flatMap(({ task, isFinally, taskRuns }) => {
    const runAfter = task.runAfter ?? [];
    const references = tasksReferredTo(task).filter((name) => !runAfter.includes(name));
    const before = [...runAfter, ...new Set(references)];
    const after = before.length === 0 && isFinally && last !== '' ? [last] : before;
    return taskRuns
      .filter((child) => isShown(child, report))
      .map((child) => ({
        name: textOrAbsent(task.name),
        after: listOrAbsent(after),
        serviceAccountName: textOrAbsent(pipelineRun.spec?.taskRunTemplate?.serviceAccountName),
        ref: written(taskRef, task.taskRef, `taskRef of ${task.name ?? ''}`),
        ...buildTask(child, sourceOf),
      }));
  });
}

function isShown({ taskRun: { metadata, status } }: TaskRunEvidence, report: Report): boolean {
  // A TaskRun that has not finished is reported where TaskRuns are collected.
  if (status?.completionTime === undefined) return false;
  const why = whyLeftOut(status);
  if (why === undefined) return true;
  report('status.pipelineSpec', `TaskRun ${metadata?.name ?? ''} is left out of buildConfig: ${why}`);
  return false;
}

function whyLeftOut({ taskSpec, steps = [] }: NonNullable<TaskRun['status']>): string | undefined {
  if (taskSpec === undefined) return 'it has no status.taskSpec';
  const specs = taskSpec.steps ?? [];
  if (specs.length !== steps.length) return 'status.steps and status.taskSpec.steps differ in number';
  const hasLostName = steps.some(
    ({ name = '' }, index) => name.startsWith('unnamed-') && (specs[index]?.name ?? '') !== '',
  );
  return hasLostName ? 'a step with a name ran without its name' : undefined;
}

function buildTask(child: TaskRunEvidence, sourceOf: SourceOf): object {
  const { metadata, status = {} } = child.taskRun;
  const { startTime, completionTime, steps = [], taskSpec, results = [], conditions = [] } = status;
  const name = metadata?.name ?? '';
  if (startTime === undefined) {
    throw new ChainsError(
      'RUN_UNREADABLE',
      `status.startTime is missing in TaskRun ${name}, which has finished`,
    );
  }
  return {
    startedOn: withShortFraction(startTime),
    finishedOn: completionTime && withShortFraction(completionTime),
    // Of the first condition, whatever its type.
    status: statuses.get(conditions[0]?.status ?? ''),
    steps: listOrAbsent(steps.map((state, index) => buildStep(taskSpec?.steps?.[index] ?? {}, state))),
    invocation: taskRunInvocation(child, sourceOf(status.provenance?.refSource)),
    results:
      results.length === 0
        ? undefined
        : written(list(taskRunResult), results, `TaskRun ${name}: status.results`),
  };
}

const statuses = new Map([
  ['True', 'Succeeded'],
  ['False', 'Failed'],
  ['Unknown', 'Running'],
]);
