import type { ObjectName, Resource } from '../kubernetes/resources.ts';
import { isNotFound, type Rest } from '../kubernetes/rest.ts';
import { ChainsError } from '../model/errors.ts';
import { at, isJsonObject, type JsonObject, listAt, member, textIn } from '../model/json.ts';
import { parseRun, type Run } from '../model/run.ts';
import { type Circumstances, decide } from './policy.ts';

/** The label by which Tekton says which PipelineRun a TaskRun is part of. */
export const pipelineRunLabel = 'tekton.dev/pipelineRun';

/**
 * Whose a TaskRun is, by its owner references: labels and names can be chosen by whoever creates it, and Tekton makes the
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

/**
 * The TaskRuns of a PipelineRun that are there, in the order of its references: one list call, none without references.
 * One that is referred to and not in the list, since somebody took its label off, or since it is gone, is asked for by name.
 * One that another run owns, or nobody, is not there.
 */
export async function listTaskRuns(
  rest: Rest,
  resource: Resource,
  run: Run,
  signal?: AbortSignal,
): Promise<readonly JsonObject[]> {
  const names = taskRunNames(run);
  if (names.length === 0) return [];
  const taskRuns = { ...resource, plural: 'taskruns' };
  const found = new Map<string, JsonObject>();
  const keep = (taskRun: JsonObject): void => {
    if (ownerOf(taskRun, run) === 'this') found.set(textIn(at(taskRun, 'metadata', 'name')), taskRun);
  };
  const query = { namespace: run.namespace, labelSelector: `${pipelineRunLabel}=${run.name}`, limit: 500 };
  for await (const { items } of rest.pages(taskRuns, query, signal)) {
    for (const item of items) keep(item);
  }
  for (const name of names) {
    if (found.has(name)) continue;
    const taskRun = await getIfThere(rest, taskRuns, { namespace: run.namespace, name }, signal);
    if (taskRun !== undefined) keep(taskRun);
  }
  return referredTo(names, found);
}

/** The TaskRuns of these names, in this order, without those that aren't there. */
export function referredTo(
  names: readonly string[],
  taskRuns: ReadonlyMap<string, JsonObject>,
): readonly JsonObject[] {
  return names.map((name) => taskRuns.get(name)).filter((taskRun) => taskRun !== undefined);
}

async function getIfThere(
  rest: Rest,
  resource: Resource,
  name: ObjectName,
  signal: AbortSignal | undefined,
): Promise<JsonObject | undefined> {
  try {
    return await rest.get(resource, name, signal);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

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
