import { ChainsError } from '../../errors.ts';
import { completedTaskRuns, type PipelineRunEvidence, type TaskRunEvidence } from '../../model/evidence.ts';
import type { Report } from '../../model/problem.ts';
import { goJson } from '../../tekton/go-json.ts';
import type { RefSource } from '../../tekton/provenance.ts';
import { written } from '../../tekton/shape.ts';
import { taskRun } from '../../tekton/task-run.ts';
import type { Digested } from '../digest-set.ts';
import {
  fromSource,
  imagesRun,
  inputsOfPipelineRun,
  inputsOfSteps,
  inputsOfTaskRun,
  resourcesOfTaskRun,
} from '../materials.ts';
import { type ResourceDescriptor, textOrAbsent, textsOrAbsent } from '../statement.ts';

const result = 'inputs/result';
const resource = 'pipelineResource';

/** What went into a TaskRun (payloads.md, 9.4). @throws ChainsError RUN_UNREADABLE */
export function dependenciesOfTaskRun(
  evidence: TaskRunEvidence,
  steps: boolean,
  report: Report,
): readonly ResourceDescriptor[] {
  return [
    // Added after duplicates are removed: an input equal to it stays.
    ...source('task', evidence.taskRun.status?.provenance?.refSource),
    ...withoutDuplicates([
      ...imagesOf(evidence, report),
      ...(steps ? [...stepInputs(evidence), ...stepActions(evidence)] : []),
      ...inputsOfTaskRun(evidence).map((input) => dependency(result, input)),
      ...resourcesOfTaskRun(evidence).map((input) => dependency(resource, input)),
    ]),
  ];
}

/** How a PipelineRun's dependencies are collected. */
export interface PipelineDependencyOptions {
  /** Whether the results and StepActions of steps are read. */
  readonly steps: boolean;
  /** Whether the inputs of its TaskRuns are read. */
  readonly deep: boolean;
  /** Whether each of its TaskRuns is written whole. */
  readonly whole: boolean;
  readonly report: Report;
}

/** What went into a PipelineRun (payloads.md, 9.4). @throws ChainsError RUN_UNREADABLE */
export function dependenciesOfPipelineRun(
  evidence: PipelineRunEvidence,
  { steps, deep, whole, report }: PipelineDependencyOptions,
): readonly ResourceDescriptor[] {
  const children = completedTaskRuns(evidence);
  return withoutDuplicates([
    ...source('pipeline', evidence.pipelineRun.status?.provenance?.refSource),
    ...children.flatMap((child) => {
      const task = whole
        ? wholeTask(child, report)
        : source('pipelineTask', child.taskRun.status?.provenance?.refSource);
      return task === undefined
        ? []
        : [...task, ...(steps ? stepActions(child) : []), ...imagesOf(child, report)];
    }),
    ...(steps && deep ? children.flatMap(stepInputs) : []),
    ...inputsOfPipelineRun(evidence, deep).map(({ from, input }) =>
      dependency(from === 'result' ? result : resource, input),
    ),
  ]);
}

/** The whole TaskRun as JSON; undefined where it can't be written. */
function wholeTask(
  { taskRun: typed }: TaskRunEvidence,
  report: Report,
): readonly ResourceDescriptor[] | undefined {
  const { metadata, status } = typed;
  try {
    const content = Buffer.from(goJson(written(taskRun, typed))).toString('base64');
    return [dependency('pipelineTask', fromSource(status?.provenance?.refSource ?? {}), content)];
  } catch (error) {
    if (!(error instanceof ChainsError)) throw error;
    report(
      'taskRuns',
      `TaskRun ${metadata?.name ?? ''} is left out of the provenance, with its images: ${error.message}`,
    );
    return undefined;
  }
}

function source(name: string, given: RefSource | undefined): readonly ResourceDescriptor[] {
  return given === undefined ? [] : [dependency(name, fromSource(given))];
}

function imagesOf(evidence: TaskRunEvidence, report: Report): readonly ResourceDescriptor[] {
  return imagesRun(evidence, report).map((image) => dependency('', image));
}

function stepInputs(evidence: TaskRunEvidence): readonly ResourceDescriptor[] {
  return inputsOfSteps(evidence).map((input) => dependency(result, input));
}

function stepActions({ taskRun: { status } }: TaskRunEvidence): readonly ResourceDescriptor[] {
  return (status?.steps ?? []).flatMap(({ name = '', provenance }) =>
    source(`stepAction/${name}`, provenance?.refSource),
  );
}

function dependency(name: string, { name: uri, digest }: Digested, content?: string): ResourceDescriptor {
  return { name: textOrAbsent(name), uri: textOrAbsent(uri), digest: textsOrAbsent(digest), content };
}

/**
 * The dependencies without those that equal an earlier one in all but the name; the sources of pipelines and StepActions
 * always stay (payloads.md, 9.4).
 */
function withoutDuplicates(dependencies: readonly ResourceDescriptor[]): readonly ResourceDescriptor[] {
  const seen = new Set<string>();
  return dependencies.filter(({ name = '', ...rest }) => {
    const identity = JSON.stringify(rest);
    const isNew = !seen.has(identity);
    seen.add(identity);
    return isNew || name === 'pipeline' || name.startsWith('stepAction/');
  });
}
