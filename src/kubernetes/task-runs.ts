import { at, type JsonObject, textIn } from '../json.ts';
import { ownerOf, pipelineRunLabel, referredTo, taskRunNames } from '../model/children.ts';
import type { Run } from '../model/run.ts';
import type { Resource } from './call.ts';
import { type Rest, unlessMissing } from './rest.ts';

/**
 * The TaskRuns of a PipelineRun that are there, in the order of its references: one list call, none without references.
 * One that is referred to but not in the list, because its label was removed or it is gone, is asked for by name.
 * One that this run does not own is left out.
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
    const taskRun = await unlessMissing(rest.get(taskRuns, { namespace: run.namespace, name }, signal));
    if (taskRun !== undefined) keep(taskRun);
  }
  return referredTo(names, found);
}
