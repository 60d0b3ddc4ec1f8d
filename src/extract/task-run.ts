import { ChainsError } from '../errors.ts';
import { at, type JsonObject } from '../json.ts';
import type { Hints, TaskRunEvidence } from '../model/evidence.ts';
import type { Report } from '../model/problem.ts';
import { list, read, struct } from '../tekton/shape.ts';
import { taskRun, taskRunResult } from '../tekton/task-run.ts';
import { taskRunAsV1 } from '../tekton/v1beta1.ts';
import { gitSource } from './git.ts';
import { hintsIn } from './hints.ts';
import { reportClone } from './near-misses.ts';
import { imageResourcesOf, resourceFields, resourceInputsOf } from './pipeline-resources.ts';
import { type Reading, resultsAt } from './results.ts';

/** The fields that name images. They are read separately, so that images are signed even if another field can't be read. */
const naming = struct({ status: struct({ results: list(taskRunResult), ...resourceFields }) });

/** How a TaskRun is read. */
export interface TaskRunReading extends Reading {
  /** The path of the TaskRun, empty for the run itself. */
  readonly where: string;
  /** Receives what is wrong in the results of its steps; `report` what is wrong in its own. */
  readonly reportStep: Report;
}

/** What a TaskRun names, and what it states for provenance or why that can't be read. */
export interface TaskRunFindings {
  readonly hints: Hints;
  readonly evidence: TaskRunEvidence | ChainsError;
}

/** Reads a TaskRun. @throws ChainsError RUN_UNREADABLE when a field that names images has the wrong type. */
export function readTaskRun(object: JsonObject, reading: TaskRunReading): TaskRunFindings {
  const { where, report, reportStep, asWritten } = reading;
  const v1 = taskRunAsV1(object);
  const { status: named = {} } = read(naming, v1, where);
  const results = resultsAt(`${where}status.${resultsKey(object)}`, named.results);
  const hints = hintsIn(results, reading, imageResourcesOf(named, report));
  const resources = resourceInputsOf(named, report);
  const evidence = orError(() => {
    const typed = read(taskRun, v1, where);
    const { spec, status } = typed;
    const specs = status?.taskSpec?.params;
    const git = gitSource({ where, spec: 'taskSpec', specs, params: spec?.params, results }, reading);
    const isNamed = results.some(({ name }) => name.startsWith('CHAINS-GIT_'));
    reportClone(results, isNamed || git.url !== '', report);
    const steps = (status?.steps ?? []).map((step, index) => {
      const ofStep = resultsAt(`${where}status.steps[${index}].results`, step.results);
      const stepReading = { report: reportStep, asWritten };
      return {
        hints: hintsIn(ofStep, stepReading),
        git: gitSource({ where, spec: 'taskSpec', results: ofStep }, stepReading),
      };
    });
    return { taskRun: typed, hints, resources, git, steps };
  });
  return { hints, evidence };
}

/** The field that holds the results which are read. */
function resultsKey(object: JsonObject): 'results' | 'taskResults' {
  const [old, now] = ['taskResults', 'results'].map((key) => at(object, 'status', key) ?? null);
  const isOld = old !== null && (now === null || object['apiVersion'] === 'tekton.dev/v1beta1');
  return isOld ? 'taskResults' : 'results';
}

/** What the work returns, or the RUN_UNREADABLE that it throws. */
export function orError<T>(work: () => T): T | ChainsError {
  try {
    return work();
  } catch (error) {
    if (error instanceof ChainsError && error.code === 'RUN_UNREADABLE') return error;
    if (!(error instanceof RangeError)) throw error;
    return new ChainsError('RUN_UNREADABLE', 'the run nests too deeply to be read', { cause: error });
  }
}
