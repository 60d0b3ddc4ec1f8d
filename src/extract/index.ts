import { ChainsError } from '../errors.ts';
import { type JsonObject, listAt } from '../json.ts';
import { type Artifact, ownKeyOf, repositoriesOf } from '../model/artifact.ts';
import { collectProblems, type Problem, type Report } from '../model/problem.ts';
import type { Run } from '../model/run.ts';
import { asSigned } from './as-signed.ts';
import { imageArtifacts } from './images.ts';
import { reportStepHints } from './near-misses.ts';
import { readPipelineRun } from './pipeline-run.ts';
import { orError, readTaskRun } from './task-run.ts';

/** What can be signed of a run, and what in it is not valid. */
export interface Extraction {
  /** The run itself, then its images (behaviour.md, "What is signed"). */
  readonly artifacts: readonly Artifact[];
  readonly problems: readonly Problem[];
  /** RUN_UNREADABLE when a field that names images has the wrong type; then there are no images. */
  readonly unreadable: ChainsError | undefined;
}

/** Which results are used in addition to the run's own. Problems in others are not reported, since they change nothing. */
export interface Depth {
  readonly stepResults: boolean;
  readonly childResults: boolean;
  /** True where hints are taken as written, white space and half pairs included, as in other Chains' payloads. */
  readonly asWritten?: boolean;
}

const ignore: Report = () => {};

/**
 * Finds the artifacts of a run: itself, and for a TaskRun the images that it built. Nothing in a run makes it throw.
 * @param taskRuns the TaskRuns of a PipelineRun, in order
 */
export function extract(
  run: Run,
  taskRuns: readonly JsonObject[] = [],
  { stepResults, childResults, asWritten = false }: Depth = { stepResults: false, childResults: false },
): Extraction {
  const problems = collectProblems();
  const { report } = problems;
  const object = asSigned(run.object, report);
  const shown = { ...run, object };
  const own = { run: shown, key: ownKeyOf(run), fullKey: `tekton.dev-v1-${run.kind}-${run.uid}` };
  if (run.kind === 'PipelineRun') {
    const children = taskRuns.map((taskRun) => asSigned(taskRun, ignore));
    const reportChild = childResults ? report : ignore;
    const ofTaskRuns = { report: reportChild, reportStep: stepResults ? reportChild : ignore, asWritten };
    const evidence = orError(() => readPipelineRun(object, children, { report, ofTaskRuns }));
    return {
      artifacts: [{ ...own, kind: 'pipelinerun', evidence }],
      problems: problems.all(),
      unreadable: undefined,
    };
  }
  const reading = { where: '', report, reportStep: stepResults ? report : ignore, asWritten };
  const found = orError(() => readTaskRun(object, reading));
  const unreadable = found instanceof ChainsError ? found : undefined;
  const { evidence, hints } = found instanceof ChainsError ? { evidence: found, hints: undefined } : found;
  if (!(evidence instanceof ChainsError)) reportStepHints(evidence, stepResults, report);
  return {
    artifacts: [{ ...own, kind: 'taskrun', evidence }, ...imageArtifacts(shown, hints?.images ?? [])],
    problems: problems.all(),
    unreadable,
  };
}

/** The hosts of the registries that hold the images of a finished run, each once. */
export function registryHostsOf(run: Run): readonly string[] {
  // Reading a run takes as long as signing it, so a run without results is not read just for this.
  const mayNameImages = ['results', 'resourcesResult', 'pipelineResults', 'taskResults'].some(
    (field) => listAt(run.object, 'status', field).length > 0,
  );
  if (run.progress.state !== 'done' || !mayNameImages) return [];
  const repositories = extract(run).artifacts.flatMap(repositoriesOf);
  return [...new Set(repositories.map((repository) => repository.slice(0, repository.indexOf('/'))))];
}
