import type { JsonObject } from '../../json.ts';
import type { Rest } from '../../kubernetes/rest.ts';
import { deleteObject } from '../../install/apply.ts';
import { runResources, takeFinalizersOff } from '../../install/finalizers.ts';
import { readManifests } from '../../install/manifests.ts';
import { titleOf } from '../../install/resources.ts';
import { type Patience, untilGone } from '../../install/rollout.ts';
import { Leases } from '../../members/leases.ts';
import { type ConnectionOptions, withCluster } from '../input/cluster.ts';
import { wrap } from '../terminal/layout.ts';
import { narrator, type Say } from '../terminal/narrator.ts';
import { showing } from '../terminal/progress.ts';

/** The options of `chains uninstall`, as parsed. */
export interface UninstallArguments extends ConnectionOptions {
  readonly namespace: string;
  /** Delete the Secret with the key, too. */
  readonly deleteKey?: boolean;
  /** Seconds for the controller to stop. */
  readonly timeout: number;
}

/** What lets the controller write on runs: deleted first, so that it puts no finalizer back. */
const stoppers = ['Deployment', 'ClusterRoleBinding'];

/**
 * `chains uninstall`: stops the controller, takes the finalizers off every run, and deletes what `chains install` or
 * `release.yaml` made. The namespace stays, since it may hold what others put there, and so does the key, unless asked for.
 */
export async function runUninstall(
  options: UninstallArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<void> {
  const { namespace, deleteKey = false } = options;
  const objects = (await readManifests({ namespace })).map(({ object }) => object).toReversed();
  const kindIn = (kinds: readonly string[]) => objects.filter(({ kind }) => kinds.includes(String(kind)));
  const kept = ['Namespace', ...(deleteKey ? [] : ['Secret'])];
  const say = narrator(write);
  await withCluster(options, async (rest) => {
    await stopController(rest, kindIn(stoppers), say, { within: options.timeout * 1000, every: 500 });
    await freeRuns(rest, say);
    const others = objects.filter(({ kind }) => ![...stoppers, ...kept].includes(String(kind)));
    const lines = await showing('deleting the rest', () => deleteAll(rest, others));
    await deleteLeases(rest, namespace);
    say('What remained of the installation:', ...lines);
  });
  const key = deleteKey ? '' : ' and the Secret signing-secrets with the key';
  say(
    `The namespace ${namespace}${key} stay${deleteKey ? 's' : ''}. kubectl delete namespace ${namespace} deletes all that is in it.`,
  );
}

async function stopController(
  rest: Rest,
  objects: readonly JsonObject[],
  say: Say,
  patience: Patience,
): Promise<void> {
  const lines = await deleteAll(rest, objects);
  for (const deployment of objects.filter(({ kind }) => kind === 'Deployment'))
    await showing('waiting until the controller has stopped', () => untilGone(rest, deployment, patience));
  say('The controller is stopped, and may write on no run:', ...lines);
}

async function freeRuns(rest: Rest, say: Say): Promise<void> {
  const resources = await runResources(rest);
  for (const resource of resources) {
    const freed = await showing(`looking through all ${resource.plural}`, () =>
      takeFinalizersOff(rest, resource),
    );
    say(`The finalizer is off all ${resource.plural}; ${freed} had it.`);
  }
  if (resources.length === 0) say('The cluster has no runs: Tekton Pipelines is not installed there.');
}

async function deleteAll(rest: Rest, objects: readonly JsonObject[]): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const object of objects) {
    const was = (await deleteObject(rest, object)) ? 'deleted' : 'was not there';
    lines.push(wrap('      ', `${titleOf(object)}: ${was}`));
  }
  return lines;
}

/** A replica that ended on its own terms has deleted its Lease; one that was killed has not. */
async function deleteLeases(rest: Rest, namespace: string): Promise<void> {
  const leases = new Leases(rest, namespace);
  const { signal } = new AbortController();
  for (const { name } of await leases.list(signal)) await leases.delete({ name }, signal);
}
