import { mapAtMost } from '../concurrency.ts';
import { ChainsError } from '../errors.ts';
import { at, type JsonObject, listAt, textIn } from '../json.ts';
import type { Resource } from '../kubernetes/call.ts';
import { type Rest, unlessMissing } from '../kubernetes/rest.ts';
import { servedRuns } from '../kubernetes/run-resources.ts';
import { isOurFinalizer } from '../model/marks.ts';

const pageSize = 250;
const atOnce = 8;
/** Tries for a run that others write at the same time. */
const mostTries = 10;

/** The resources of runs, in the version that the cluster serves; empty without Tekton. */
export async function runResources(rest: Rest): Promise<readonly Resource[]> {
  const found = [await servedRuns(rest, 'TaskRun'), await servedRuns(rest, 'PipelineRun')];
  return found.filter((resource) => resource !== undefined);
}

/**
 * Takes our finalizers off every run of a kind, in all namespaces, and leaves those of others; gives how many runs had one.
 * The list is read in pages of metadata alone.
 */
export async function takeFinalizersOff(rest: Rest, resource: Resource): Promise<number> {
  let freed = 0;
  for await (const { items } of rest.pages(resource, { limit: pageSize, metadataOnly: true })) {
    const held = items.filter(isHeld);
    await mapAtMost(atOnce, held, (run) => freeRun(rest, resource, run));
    freed += held.length;
  }
  return freed;
}

function isHeld(run: JsonObject): boolean {
  return finalizersOf(run).some(isOurFinalizer);
}

function finalizersOf(run: JsonObject): readonly string[] {
  return listAt(run, 'metadata', 'finalizers').map(textIn);
}

async function freeRun(rest: Rest, resource: Resource, run: JsonObject): Promise<void> {
  const [namespace, name] = ['namespace', 'name'].map((key) => textIn(at(run, 'metadata', key)));
  const place = { namespace: namespace ?? '', name: name ?? '' };
  let seen: JsonObject | undefined = run;
  for (let tries = 1; seen !== undefined && isHeld(seen); tries += 1) {
    try {
      await unlessMissing(rest.mergePatch(resource, place, withoutOurs(seen)));
      return;
    } catch (error) {
      const changed = error instanceof ChainsError && error.code === 'CLUSTER_CONFLICT';
      if (!changed || tries === mostTries) throw error;
    }
    seen = await unlessMissing(rest.get(resource, place));
  }
}

/** The patch names the version that was seen: a finalizer that another added meanwhile must not be lost. */
function withoutOurs(run: JsonObject): JsonObject {
  const finalizers = finalizersOf(run).filter((name) => !isOurFinalizer(name));
  return { metadata: { resourceVersion: at(run, 'metadata', 'resourceVersion'), finalizers } };
}
