import { type Artifact, ownKeyOf } from '../model/artifact.ts';
import { ChainsError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { collectProblems, type Problem, type Report } from '../model/problem.ts';
import type { Run } from '../model/run.ts';
import { asSigned } from './as-signed.ts';
import { imageArtifacts } from './images.ts';
import { readPipelineRun } from './pipeline-run.ts';
import { reportStepHints } from './near-misses.ts';
import { orError, readTaskRun } from './task-run.ts';

/** What can be signed of a run, and what in it looks as if it could. */
export interface Extraction {
  /** The run itself, then its images (behaviour.md, "What is signed"). */
  readonly artifacts: readonly Artifact[];
  readonly problems: readonly Problem[];
  /** RUN_UNREADABLE when a part that names images has the wrong type; then there are no images. */
  readonly unreadable: ChainsError | undefined;
}

/** Whose results count besides the run's own: problems in others are not reported, since they change nothing. */
export interface Depth {
  readonly stepResults: boolean;
  readonly childResults: boolean;
  /** True where hints count as they are written, white space and half pairs included, as in other Chains' payloads. */
  readonly asWritten?: boolean;
}

/**
 * Finds the artifacts of a run: itself, and for a TaskRun the images that it built. Never throws for what a run holds.
 * @param taskRuns the TaskRuns of a PipelineRun, in order
 */
export function extract(
  run: Run,
  taskRuns: readonly JsonObject[] = [],
  depth: Depth = { stepResults: false, childResults: false },
): Extraction {
  const problems = collectProblems();
  const shown = { ...run, object: asSigned(run.object, problems.report) };
  const children = taskRuns.map((taskRun) => asSigned(taskRun, ignore));
  const artifacts = run.kind === 'TaskRun' ? ofTaskRun : ofPipelineRun;
  const { found, unreadable } = artifacts(shown, { taskRuns: children, depth, report: problems.report });
  return { artifacts: found, problems: problems.all(), unreadable };
}

interface ExtractOptions {
  readonly taskRuns: readonly JsonObject[];
  readonly depth: Depth;
  readonly report: Report;
}

interface FoundArtifacts {
  readonly found: readonly Artifact[];
  readonly unreadable: ChainsError | undefined;
}

const ignore: Report = () => {};

function ofTaskRun(run: Run, { depth, report }: ExtractOptions): FoundArtifacts {
  const findings = orError(() =>
    readTaskRun(run.object, {
      where: '',
      report,
      reportStep: depth.stepResults ? report : ignore,
      asWritten: depth.asWritten,
    }),
  );
  if (!(findings instanceof ChainsError) && !(findings.evidence instanceof ChainsError))
    reportStepHints(findings.evidence, depth.stepResults, report);
  const unreadable = findings instanceof ChainsError ? findings : undefined;
  const own: Artifact = {
    kind: 'taskrun',
    run,
    key: ownKeyOf(run),
    fullKey: `tekton.dev-v1-TaskRun-${run.uid}`,
    evidence: findings instanceof ChainsError ? findings : findings.evidence,
  };
  const images = findings instanceof ChainsError ? [] : findings.hints.images;
  return { found: [own, ...imageArtifacts(run, images)], unreadable };
}

function ofPipelineRun(run: Run, { taskRuns, depth, report }: ExtractOptions): FoundArtifacts {
  const ofChild = depth.childResults ? report : ignore;
  const { asWritten } = depth;
  const reading = { report: ofChild, reportStep: depth.stepResults ? ofChild : ignore, asWritten };
  const own: Artifact = {
    kind: 'pipelinerun',
    run,
    key: ownKeyOf(run),
    fullKey: `tekton.dev-v1-PipelineRun-${run.uid}`,
    evidence: orError(() => readPipelineRun({ object: run.object, taskRuns }, report, reading)),
  };
  return { found: [own], unreadable: undefined };
}
