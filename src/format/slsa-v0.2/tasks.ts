import { ChainsError } from '../../errors.ts';
import type { PipelineRunEvidence, TaskRunEvidence } from '../../model/evidence.ts';
import type { Report } from '../../model/problem.ts';
import { taskRef } from '../../tekton/params.ts';
import type { RefSource } from '../../tekton/provenance.ts';
import { list, written } from '../../tekton/shape.ts';
import { taskRunResult } from '../../tekton/task-run.ts';
import { withShortFraction } from '../../tekton/time.ts';
import { listOrAbsent, textOrAbsent } from '../statement.ts';
import { invocation } from './invocation.ts';
import type { BuildTask } from './predicate.ts';
import { tasksReferredTo } from './references.ts';
import { step } from './steps.ts';
import { invokedTaskRun } from './task-run.ts';

/** What the tasks of a build configuration need. */
export interface TaskOptions {
  /** A source as invocations show it. */
  readonly sourceOf: (source: RefSource | undefined) => RefSource | undefined;
  readonly report: Report;
}

/** The TaskRuns of a PipelineRun, task by task (payloads.md, 8); null without a pipeline. @throws ChainsError RUN_UNREADABLE */
export function tasksOf(
  { pipelineRun, tasks }: PipelineRunEvidence,
  options: TaskOptions,
): readonly BuildTask[] | null {
  if (tasks === undefined) return null;
  const serviceAccountName = textOrAbsent(pipelineRun.spec?.taskRunTemplate?.serviceAccountName);
  // Finally tasks run at last, so no task that ran comes after one of them.
  const last =
    tasks.findLast(({ isFinally, taskRuns }) => !isFinally && taskRuns.length > 0)?.task.name ?? '';
  return tasks.flatMap(({ task, isFinally, taskRuns }) => {
    const references = tasksReferredTo(task);
    const before = [...(task.runAfter ?? [])];
    for (const name of references) if (!before.includes(name)) before.push(name);
    const after = before.length === 0 && isFinally && last !== '' ? [last] : before;
    const about = {
      name: textOrAbsent(task.name),
      after: listOrAbsent(after),
      serviceAccountName,
    };
    return taskRuns
      .filter((child) => isShown(child, options.report))
      .map((child) => ({
        ...about,
        ref: written(taskRef, task.taskRef, `taskRef of ${task.name ?? ''}`),
        ...ran(child, options),
      }));
  });
}

/** Why a TaskRun is not in the build configuration; false when it is. */
const reasonsToLeaveOut: readonly ((child: TaskRunEvidence) => false | string)[] = [
  ({ taskRun: { status } }) => status?.taskSpec === undefined && 'it has no status.taskSpec',
  ({ taskRun: { status } }) =>
    (status?.taskSpec?.steps ?? []).length !== (status?.steps ?? []).length &&
    'status.steps and status.taskSpec.steps differ in number',
  ({ taskRun: { status } }) =>
    (status?.steps ?? []).some(
      ({ name = '' }, index) =>
        name.startsWith('unnamed-') && (status?.taskSpec?.steps?.[index]?.name ?? '') !== '',
    ) && 'a step that has a name ran without it',
];

function isShown(child: TaskRunEvidence, report: Report): boolean {
  const { metadata, status } = child.taskRun;
  // That it has not finished is reported where TaskRuns are collected.
  if (status?.completionTime === undefined) return false;
  const why = reasonsToLeaveOut.map((reason) => reason(child)).find((reason) => reason !== false);
  if (why === undefined) return true;
  report('status.pipelineSpec', `TaskRun ${metadata?.name ?? ''} is left out of buildConfig: ${why}`);
  return false;
}

type Ran = Omit<BuildTask, 'name' | 'after' | 'ref' | 'serviceAccountName'>;

function ran(child: TaskRunEvidence, { sourceOf }: TaskOptions): Ran {
  const { metadata, status = {} } = child.taskRun;
  const { startTime, completionTime, steps = [], taskSpec, results = [], conditions = [] } = status;
  const name = metadata?.name ?? '';
  if (startTime === undefined || completionTime === undefined) {
    throw new ChainsError(
      'RUN_UNREADABLE',
      `status.startTime is missing in TaskRun ${name}, which has finished`,
    );
  }
  const invoked = invokedTaskRun(child);
  return {
    startedOn: withShortFraction(startTime),
    finishedOn: withShortFraction(completionTime),
    status: statuses.get(conditions[0]?.status ?? ''),
    steps: listOrAbsent(steps.map((state, index) => step(taskSpec?.steps?.[index] ?? {}, state))),
    invocation: invocation({ ...invoked, source: sourceOf(invoked.source) }),
    results:
      results.length === 0
        ? undefined
        : written(list(taskRunResult), results, `TaskRun ${name}: status.results`),
  };
}

/** What the first condition of a TaskRun, whatever its type, is called. */
const statuses = new Map<string, BuildTask['status']>([
  ['True', 'Succeeded'],
  ['False', 'Failed'],
  ['Unknown', 'Running'],
]);
