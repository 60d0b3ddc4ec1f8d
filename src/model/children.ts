import { at, isJsonObject, type JsonObject, listAt, member, textIn } from '../json.ts';
import type { Run } from './run.ts';

/** The label in which Tekton names the PipelineRun of a TaskRun. */
export const pipelineRunLabel = 'tekton.dev/pipelineRun';

/**
 * Which PipelineRun owns a TaskRun, by its owner references: Tekton sets them on each TaskRun of a PipelineRun, while
 * anyone who creates a TaskRun can choose its labels and name.
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

/** The names of the TaskRuns that a PipelineRun refers to, in order. */
export function taskRunNames(run: Run): readonly string[] {
  const references = listAt(run.object, 'status', 'childReferences');
  // Old versions of Tekton kept a copy of each child's status instead, by the child's name.
  const embedded = at(run.object, 'status', 'taskRuns');
  if (references.length === 0 && isJsonObject(embedded)) return Object.keys(embedded);
  return references.flatMap((reference) => {
    const name = member(reference, 'name');
    return member(reference, 'kind') === 'TaskRun' && typeof name === 'string' ? [name] : [];
  });
}

/** The TaskRuns of these names, in this order, without those that don't exist. */
export function referredTo(
  names: readonly string[],
  taskRuns: ReadonlyMap<string, JsonObject>,
): readonly JsonObject[] {
  return names.map((name) => taskRuns.get(name)).filter((taskRun) => taskRun !== undefined);
}
