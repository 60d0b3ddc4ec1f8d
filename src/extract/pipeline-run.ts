import { ChainsError } from '../errors.ts';
import type {
  GitSource,
  PipelineRunEvidence,
  PipelineTaskEvidence,
  TaskRunEvidence,
} from '../model/evidence.ts';
import { at, isJsonObject, type JsonObject, listAt } from '../json.ts';
import type { Report } from '../model/problem.ts';
import { type PipelineRun, pipelineRun } from '../tekton/pipeline-run.ts';
import type { PipelineTask } from '../tekton/pipeline.ts';
import { read as readShape } from '../tekton/shape.ts';
import { pipelineRunAsV1 } from '../tekton/v1beta1.ts';
import { gitSource } from './git.ts';
import { hintsIn } from './hints-in.ts';
import { quote } from '../text.ts';
import { resultsAt } from './results.ts';
import { type ReadingOptions, readTaskRun } from './task-run.ts';

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
  reading: Omit<ReadingOptions, 'where'>,
): PipelineRunEvidence {
  const run = readShape(pipelineRun, pipelineRunAsV1(object));
  const { spec, status } = run;
  const key = at(object, 'status', 'pipelineResults') === undefined ? 'results' : 'pipelineResults';
  reportLeftOut(run, taskRuns, report);
  reportEmbedded(object, taskRuns, report);
  const results = resultsAt(`status.${key}`, status?.results);
  const specs = status?.pipelineSpec?.params;
  return {
    pipelineRun: run,
    hints: hintsIn(results, { report, asWritten: reading.asWritten }),
    git: pairOf(
      gitSource(
        {
          where: '',
          spec: 'pipelineSpec',
          specs,
          params: spec?.params,
          results,
          asWritten: reading.asWritten,
        },
        report,
      ),
    ),
    tasks: tasksOf(run, taskRuns, reading),
  };
}

/** A PipelineRun with a commit needs a URL too, other than a TaskRun as others read it. */
function pairOf(source: GitSource): GitSource {
  return source.url === '' ? { url: '', commit: '' } : source;
}

function tasksOf(
  { status }: PipelineRun,
  taskRuns: readonly JsonObject[],
  reading: Omit<ReadingOptions, 'where'>,
): readonly PipelineTaskEvidence[] | undefined {
  const { pipelineSpec } = status ?? {};
  if (pipelineSpec === undefined) return undefined;
  const { tasks = [], finally: last = [] } = pipelineSpec;
  const names = new Set([...tasks, ...last].map(({ name = '' }) => name));
  // Each is read once, even where several tasks have one name: what was read is known by its identity later on.
  const read = taskRuns
    .map((object, index) => ({ label: labelOf(object), object, where: `taskRuns[${index}].` }))
    .filter(({ label }) => label !== undefined && names.has(label))
    .map(({ label, object, where }) => ({ label, evidence: evidenceOf(object, { ...reading, where }) }));
  const evidence = (task: PipelineTask, isFinally: boolean): PipelineTaskEvidence => ({
    task,
    isFinally,
    taskRuns: read.filter(({ label }) => label === (task.name ?? '')).map((one) => one.evidence),
  });
  return [...tasks.map((task) => evidence(task, false)), ...last.map((task) => evidence(task, true))];
}

function evidenceOf(object: JsonObject, reading: ReadingOptions): TaskRunEvidence {
  const { evidence } = readTaskRun(object, reading);
  if (evidence instanceof ChainsError) throw evidence;
  return evidence;
}

/** Undefined where there is no such label; null is the empty text, as for Go. */
function labelOf(taskRun: JsonObject): string | undefined {
  const label = at(taskRun, 'metadata', 'labels', taskLabel);
  return label === null ? '' : typeof label === 'string' ? label : undefined;
}

/** Reports the children of old Tekton, which kept a copy of their status in the PipelineRun, where they are not there themselves. */
function reportEmbedded(object: JsonObject, taskRuns: readonly JsonObject[], report: Report): void {
  if (listAt(object, 'status', 'childReferences').length > 0) return;
  const names = new Set(taskRuns.map((taskRun) => at(taskRun, 'metadata', 'name')));
  const kinds = [
    ['taskRuns', 'TaskRun', 'it is gone, and its copy in the PipelineRun is not enough'],
    ['runs', 'Run', 'it is not a TaskRun'],
  ] as const;
  for (const [key, kind, why] of kinds) {
    const embedded = at(object, 'status', key);
    for (const name of isJsonObject(embedded) ? Object.keys(embedded) : []) {
      if (names.has(name)) continue;
      report(`status.${key}`, `${kind} ${quote(name)} is left out of the provenance: ${why}`);
    }
  }
}

/** Tells which children the provenance will not speak of, and why. */
function reportLeftOut({ status }: PipelineRun, taskRuns: readonly JsonObject[], report: Report): void {
  const names = new Set(taskRuns.map((object) => at(object, 'metadata', 'name')));
  for (const [index, { kind = '', name = '' }] of (status?.childReferences ?? []).entries()) {
    const why = kind === 'TaskRun' ? (names.has(name) ? undefined : 'it is gone') : 'it is not a TaskRun';
    if (why !== undefined) {
      report(
        `status.childReferences[${index}]`,
        `${kind} ${quote(name)} is left out of the provenance: ${why}`,
      );
    }
  }
  const { tasks = [], finally: last = [] } = status?.pipelineSpec ?? {};
  const known = new Set([...tasks, ...last].map((task) => task.name ?? ''));
  for (const [index, object] of taskRuns.entries()) {
    const label = labelOf(object);
    const why =
      label !== undefined && known.has(label)
        ? (at(object, 'status', 'completionTime') ?? undefined) === undefined && 'it has not finished'
        : `its label ${taskLabel} names no task of status.pipelineSpec`;
    if (why) {
      const name = at(object, 'metadata', 'name');
      report(
        `taskRuns[${index}]`,
        `TaskRun ${quote(typeof name === 'string' ? name : '')} is left out of the provenance: ${why}`,
      );
    }
  }
}
