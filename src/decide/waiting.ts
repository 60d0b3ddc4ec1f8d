import { ChainsError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { parseRun, type Run } from '../model/run.ts';
import { type Circumstances, decide } from './policy.ts';

/** The names of the TaskRuns that a PipelineRun has to wait for: those that are still to be signed. */
export function unsignedAmong(
  taskRuns: readonly JsonObject[],
  circumstances: Circumstances,
): readonly string[] {
  return taskRuns
    .map(parseTaskRun)
    .filter((run) => run !== undefined)
    .filter((run) => !['skip', 'release'].includes(decide(run, circumstances).action))
    .map(({ name }) => name);
}

/** Why a PipelineRun waits. */
export function waitingFor(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return `it waits until its TaskRuns are signed: ${shown}${more}`;
}

/** A TaskRun of a list has no kind and apiVersion. One whose metadata can't be read will never be signed. */
function parseTaskRun(taskRun: JsonObject): Run | undefined {
  try {
    return parseRun({ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', ...taskRun });
  } catch (error) {
    if (error instanceof ChainsError && error.code === 'RUN_UNREADABLE') return undefined;
    throw error;
  }
}
