import type { TestContext } from 'node:test';
import { mountSecret } from '../../sandbox/mount.ts';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { at, type JsonObject } from '../../src/json.ts';
import { eventually, itemsAt, taskRuns, type World } from './world.ts';

/** Where the Deployment of an installation is. */
export const deploymentPath = '/apis/apps/v1/namespaces/tekton-chains/deployments/tekton-chains-controller';

const mergePatch = 'application/merge-patch+json';
const installedRuns = taskRuns.replace('/default/', '/tekton-chains/');

/** Writes on a world's cluster; fails where it is refused. */
export async function must(
  world: World,
  method: 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<JsonObject> {
  const type = method === 'PATCH' ? mergePatch : undefined;
  const answer = await world.call(method, path, body, type);
  if (answer.status < 300) return answer.body;
  throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** Plays kubelet for the Secret `signing-secrets`: mounts it where the world's controllers look for it. */
export async function mounted(context: TestContext, world: World): Promise<void> {
  const rest = new Rest(await openConnection({ kubeconfig: world.kubeconfigFile }));
  const until = new AbortController();
  const secret = { namespace: 'tekton-chains', name: 'signing-secrets' };
  const mounting = mountSecret(rest, secret, world.secretsFolder, until.signal);
  context.after(async () => {
    until.abort();
    await mounting;
    await rest.close();
  });
}

/** Waits for the Deployment, and gives it. */
export function deployment(world: World): Promise<JsonObject> {
  return eventually('the Deployment is applied', async () => {
    const { status, body } = await world.call('GET', deploymentPath);
    return status === 200 ? body : undefined;
  });
}

/** Plays scheduler and kubelet: all replicas are ready. */
export async function becomeReady(world: World): Promise<void> {
  const object = await deployment(world);
  const [observedGeneration, replicas] = [
    at(object, 'metadata', 'generation'),
    at(object, 'spec', 'replicas'),
  ];
  const counts = {
    replicas,
    updatedReplicas: replicas,
    availableReplicas: replicas,
    readyReplicas: replicas,
  };
  await must(world, 'PATCH', `${deploymentPath}/status`, { status: { observedGeneration, ...counts } });
}

/** Plays Tekton for the run that an installation is tried with: a run that is cancelled ends at once. */
export async function endCancelledRun(world: World): Promise<JsonObject> {
  const run = await eventually('a TaskRun is created', async () => {
    const items = await itemsAt(world, installedRuns);
    return items.find(
      (one) => at(one, 'status') === undefined && at(one, 'spec', 'status') === 'TaskRunCancelled',
    );
  });
  const time = new Date().toISOString().replace(/\.\d+/, '');
  const condition = { type: 'Succeeded', status: 'False', reason: 'TaskRunCancelled', message: 'cancelled' };
  const status = { conditions: [condition], startTime: time, completionTime: time };
  const path = `${installedRuns}/${String(at(run, 'metadata', 'name'))}`;
  return must(world, 'PATCH', `${path}/status`, { status });
}
