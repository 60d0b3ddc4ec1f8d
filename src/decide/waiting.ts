import { ChainsError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { parseRun, type Run } from '../model/run.ts';
import { type Circumstances, decide } from './policy.ts';

/** The names of those TaskRuns that a PipelineRun has to wait for: neither signed nor failed, and not left to others. */
export function unsignedAmong(
  taskRuns: readonly JsonObject[],
  circumstances: Circumstances,
): readonly string[] {
  return taskRuns.map(childRun).flatMap((child) => {
    if (child === undefined) return [];
    const { action } = decide(child, circumstances);
    return action === 'skip' || action === 'release' ? [] : [child.name];
  });
}

/** Why a PipelineRun waits. */
export function waitingFor(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return `it waits until its TaskRuns are signed: ${shown}${more}`;
}

/** A child may come without kind and apiVersion; one whose metadata can't be read will never be signed. */
function childRun(taskRun: JsonObject): Run | undefined {
  try {
    return parseRun({ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', ...taskRun });
  } catch (error) {
    if (error instanceof ChainsError && error.code === 'RUN_UNREADABLE') return undefined;
    throw error;
  }
}
