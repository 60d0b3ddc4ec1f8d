import { ChainsError } from '../errors.ts';
import type { Hints, ResourceInput, TaskRunEvidence } from '../model/evidence.ts';
import { at, type JsonObject } from '../json.ts';
import type { Report } from '../model/problem.ts';
import { list, read, struct } from '../tekton/shape.ts';
import { type TaskRun, taskRun, taskRunResult } from '../tekton/task-run.ts';
import { taskRunAsV1 } from '../tekton/v1beta1.ts';
import { gitSource } from './git.ts';
import { hintsIn } from './hints-in.ts';
import { imageResourcesOf, resourceFields, resourceInputsOf } from './pipeline-resources.ts';
import { reportClone } from './near-misses.ts';
import { type Result, resultsAt } from './results.ts';

/** All that names an image. Read by itself, so that images are signed even where something else in the run can't be read. */
const naming = struct({ status: struct({ results: list(taskRunResult), ...resourceFields }) });

/** How a TaskRun is read. */
export interface ReadingOptions {
  /** The path of the TaskRun, empty for the run itself. */
  readonly where: string;
  /** Takes what is wrong in its own results. */
  readonly report: Report;
  /** Takes what is wrong in the results of its steps. */
  readonly reportStep: Report;
  readonly asWritten?: boolean | undefined;
}

/** What a TaskRun names, and what it states for provenance or why that can't be read. */
export interface TaskRunFindings {
  readonly hints: Hints;
  readonly evidence: TaskRunEvidence | ChainsError;
}

/** Reads a TaskRun. @throws ChainsError RUN_UNREADABLE when a part that names images has the wrong type. */
export function readTaskRun(object: JsonObject, reading: ReadingOptions): TaskRunFindings {
  const { where, report, asWritten } = reading;
  const v1 = taskRunAsV1(object);
  const { status = {} } = read(naming, v1, where);
  const results = resultsAt(`${where}status.${resultsKey(object)}`, status.results);
  const hints = hintsIn(results, { report, asWritten, resources: imageResourcesOf(status, report) });
  const resources = resourceInputsOf(status, report);
  return {
    hints,
    evidence: orError(() => evidenceOf(read(taskRun, v1, where), { hints, resources, results }, reading)),
  };
}

/** Under which name the results that count stand. */
function resultsKey(object: JsonObject): 'results' | 'taskResults' {
  const [old, now] = ['taskResults', 'results'].map((key) => at(object, 'status', key) ?? null);
  const isOld = old !== null && (now === null || object['apiVersion'] === 'tekton.dev/v1beta1');
  return isOld ? 'taskResults' : 'results';
}

/** What the work gives, or the RUN_UNREADABLE that it throws. */
export function orError<T>(work: () => T): T | ChainsError {
  try {
    return work();
  } catch (error) {
    if (error instanceof ChainsError && error.code === 'RUN_UNREADABLE') return error;
    if (!(error instanceof RangeError)) throw error;
    return new ChainsError('RUN_UNREADABLE', 'the run nests too deeply to be read', { cause: error });
  }
}

interface TaskResult {
  readonly hints: Hints;
  readonly resources: readonly ResourceInput[];
  readonly results: readonly Result[];
}

function evidenceOf(
  typed: TaskRun,
  { hints, resources, results }: TaskResult,
  { where, report, reportStep, asWritten }: ReadingOptions,
): TaskRunEvidence {
  const { spec, status } = typed;
  const { params: specs } = status?.taskSpec ?? {};
  const git = gitSource({ where, spec: 'taskSpec', specs, params: spec?.params, results, asWritten }, report);
  const isNamed = results.some(({ name }) => name.startsWith('CHAINS-GIT_'));
  reportClone(results, isNamed || git.url !== '', report);
  return {
    taskRun: typed,
    hints,
    resources,
    git,
    steps: (status?.steps ?? []).map((step, index) => {
      const own = resultsAt(`${where}status.steps[${index}].results`, step.results);
      return {
        hints: hintsIn(own, { report: reportStep, asWritten }),
        git: gitSource({ where, spec: 'taskSpec', results: own, asWritten }, reportStep),
      };
    }),
  };
}
