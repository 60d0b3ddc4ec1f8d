import type { PipelineRunEvidence, TaskRunEvidence } from '../model/evidence.ts';

/** Whether provenance counts a TaskRun of a PipelineRun: it has a completion time (payloads.md, 5). */
export function isCounted({ taskRun }: TaskRunEvidence): boolean {
  return taskRun.status?.completionTime !== undefined;
}

/** The TaskRuns that provenance counts, task by task. */
export function countedTaskRuns({ tasks = [] }: PipelineRunEvidence): readonly TaskRunEvidence[] {
  return tasks.flatMap(({ taskRuns }) => taskRuns).filter(isCounted);
}
