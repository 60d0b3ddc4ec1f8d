import { at, isJsonObject, type JsonObject, listAt, member, textIn } from '../json.ts';
import type { Run } from './run.ts';

/** The label by which Tekton says which PipelineRun a TaskRun is part of. */
export const pipelineRunLabel = 'tekton.dev/pipelineRun';

/**
 * Whose a TaskRun is, by its owner references: labels and names can be chosen by anyone who creates it, and Tekton makes the
 * PipelineRun the owner of each of its TaskRuns.
 */
export function ownerOf(taskRun: JsonObject, pipelineRun: Run): 'this' | 'another' | 'nobody' {
  const owners = listAt(taskRun, 'metadata', 'ownerReferences').filter(
    (owner) =>
      member(owner, 'kind') === 'PipelineRun' &&
      textIn(member(owner, 'apiVersion')).startsWith('tekton.dev/'),
  );
  if (owners.length === 0) return 'nobody';
  const isThis = pipelineRun.uid !== '' && owners.some((owner) => member(owner, 'uid') === pipelineRun.uid);
  return isThis ? 'this' : 'another';
}

/** The names of the TaskRuns that a PipelineRun refers to, in order; other kinds of children are never waited for. */
export function taskRunNames(run: Run): readonly string[] {
  const references = listAt(run.object, 'status', 'childReferences');
  // Before Tekton had references it kept a copy of each child's status, by the child's name.
  const embedded = at(run.object, 'status', 'taskRuns');
  if (references.length === 0 && isJsonObject(embedded)) return Object.keys(embedded);
  return references
    .filter((reference) => member(reference, 'kind') === 'TaskRun')
    .flatMap((reference) => {
      const name = member(reference, 'name');
      return typeof name === 'string' ? [name] : [];
    });
}

/** The TaskRuns of these names, in this order, without those that aren't there. */
export function referredTo(
  names: readonly string[],
  taskRuns: ReadonlyMap<string, JsonObject>,
): readonly JsonObject[] {
  return names.map((name) => taskRuns.get(name)).filter((taskRun) => taskRun !== undefined);
}
