import type { PipelineRun } from '../tekton/pipeline-run.ts';
import type { PipelineTask } from '../tekton/pipeline.ts';
import type { TaskRun } from '../tekton/task-run.ts';
import type { NamedImage } from './image.ts';

/** A name and a digest that a run states for something that it made, both as written. */
export interface Output {
  readonly uri: string;
  /** `ALG:HEX`, with white space and upper case as in the run. */
  readonly digest: string;
}

/** Something that a run used. */
export interface Input {
  readonly uri: string;
  /** Lower-case. */
  readonly algorithm: string;
  readonly hex: string;
}

/** The source that a run says it was built from; empty where it states none. */
export interface GitSource {
  readonly url: string;
  readonly commit: string;
}

/** The hints in one list of results (payloads.md, 3). */
export interface Hints {
  /** Image pairs, `IMAGES`, build artifacts and PipelineResources, each once. */
  readonly images: readonly NamedImage[];
  /** `*ARTIFACT_URI` and `*ARTIFACT_DIGEST`. */
  readonly artifacts: readonly Output[];
  /** `*ARTIFACT_OUTPUTS`. */
  readonly outputs: readonly (Output & { readonly isBuildArtifact: boolean })[];
  /** `*ARTIFACT_INPUTS`. */
  readonly inputs: readonly Input[];
}

/** A PipelineResource of v1beta1 that is an input of a task (payloads.md, 13). */
export type ResourceInput =
  | ({ readonly type: 'git' } & GitSource)
  | { readonly type: 'image'; readonly url: string; readonly hex: string };

/** What a TaskRun states for its provenance. */
export interface TaskRunEvidence {
  readonly taskRun: TaskRun;
  readonly hints: Hints;
  readonly git: GitSource;
  readonly resources: readonly ResourceInput[];
  /** One for each entry of `status.steps`. */
  readonly steps: readonly { readonly hints: Hints; readonly git: GitSource }[];
}

/** A task of a pipeline, and the TaskRuns that ran it. */
export interface PipelineTaskEvidence {
  readonly task: PipelineTask;
  readonly isFinally: boolean;
  /** In the order in which they were given; with a matrix or retries there are several. */
  readonly taskRuns: readonly TaskRunEvidence[];
}

/** What a PipelineRun and its TaskRuns state for its provenance. */
export interface PipelineRunEvidence {
  readonly pipelineRun: PipelineRun;
  readonly hints: Hints;
  readonly git: GitSource;
  /** `tasks`, then `finally`; undefined where the run has no `status.pipelineSpec`. */
  readonly tasks: readonly PipelineTaskEvidence[] | undefined;
}

/** The TaskRuns of a PipelineRun that have a completion time, task by task: provenance leaves the others out (payloads.md, 5). */
export function completedTaskRuns({ tasks = [] }: PipelineRunEvidence): readonly TaskRunEvidence[] {
  return tasks
    .flatMap(({ taskRuns }) => taskRuns)
    .filter(({ taskRun }) => taskRun.status?.completionTime !== undefined);
}
