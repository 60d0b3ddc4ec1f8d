import { setTimeout as pause } from 'node:timers/promises';
import { ChainsError } from '../errors.ts';
import { at, type JsonObject, listAt, textIn } from '../json.ts';
import type { Resource } from '../kubernetes/call.ts';
import type { Rest } from '../kubernetes/rest.ts';
import { oneLine } from '../text.ts';
import { currentOf, placeOf, titleOf } from './resources.ts';

/** How long to wait, and how often to look; milliseconds. */
export interface Patience {
  readonly within: number;
  readonly every: number;
}

const pods: Resource = { group: '', version: 'v1', plural: 'pods' };

/** Most Pods that are looked at for a reason. */
const mostPods = 20;

/** Waits until all replicas of a Deployment are of its newest version and ready. @throws ChainsError saying why they are not */
export async function untilReady(
  rest: Rest,
  deployment: JsonObject,
  { within, every }: Patience,
): Promise<void> {
  const deadline = Date.now() + within;
  for (;;) {
    const current = await currentOf(rest, deployment);
    if (current !== undefined && isReady(current)) return;
    if (Date.now() >= deadline) {
      const { namespace } = placeOf(deployment).name;
      const troubles = await podTroubles(rest, deployment);
      const state = troubles ?? 'no Pod says why';
      throw new ChainsError(
        'INSTALLATION_UNFINISHED',
        `${titleOf(deployment)} in the namespace ${namespace} is not ready after ${within / 1000} seconds: ${state}`,
        { hint: remedyFor(state, namespace) },
      );
    }
    await pause(every);
  }
}

/** As `kubectl rollout status` sees it. */
function isReady(deployment: JsonObject): boolean {
  const number = (...path: readonly string[]): number => Number(at(deployment, ...path) ?? 0);
  const wanted = number('spec', 'replicas');
  return (
    number('status', 'observedGeneration') >= number('metadata', 'generation') &&
    number('status', 'replicas') === wanted &&
    number('status', 'updatedReplicas') === wanted &&
    number('status', 'availableReplicas') === wanted
  );
}

/** Why Pods of a Deployment are not ready, in the words of kubelet and scheduler. */
async function podTroubles(rest: Rest, deployment: JsonObject): Promise<string | undefined> {
  const found = new Set<string>();
  for (const pod of await podsOf(rest, deployment)) {
    for (const status of listAt(pod, 'status', 'containerStatuses')) {
      const waiting = at(status, 'state', 'waiting');
      if (waiting !== undefined) found.add(saying(waiting));
    }
    const unscheduled = listAt(pod, 'status', 'conditions').find(
      (one) => at(one, 'type') === 'PodScheduled' && at(one, 'status') === 'False',
    );
    if (unscheduled !== undefined) found.add(saying(unscheduled));
  }
  return found.size === 0 ? undefined : oneLine([...found].join('; '), 500);
}

/** Waits until no Pod is left of a Deployment that was deleted. @throws ChainsError INSTALLATION_UNFINISHED */
export async function untilGone(
  rest: Rest,
  deployment: JsonObject,
  { within, every }: Patience,
): Promise<void> {
  const deadline = Date.now() + within;
  while ((await podsOf(rest, deployment)).length > 0) {
    if (Date.now() >= deadline) {
      const { namespace } = placeOf(deployment).name;
      throw new ChainsError(
        'INSTALLATION_UNFINISHED',
        `Pods of ${titleOf(deployment)} in the namespace ${namespace} are still there after ${within / 1000} seconds`,
        { hint: `See what keeps them: kubectl get pods -n ${namespace}. Then run this again.` },
      );
    }
    await pause(every);
  }
}

/** The first Pods that a Deployment's labels select. */
async function podsOf(rest: Rest, deployment: JsonObject): Promise<readonly JsonObject[]> {
  const labels = Object.entries(at(deployment, 'spec', 'selector', 'matchLabels') ?? {});
  const labelSelector = labels.map(([key, value]) => `${key}=${String(value)}`).join(',');
  const { namespace } = placeOf(deployment).name;
  for await (const { items } of rest.pages(pods, { namespace, labelSelector, limit: mostPods })) return items;
  return [];
}

function saying(state: unknown): string {
  const [reason, message] = ['reason', 'message'].map((key) => textIn(at(state, key)));
  return [reason, message].filter((text) => text !== '').join(': ');
}

function remedyFor(state: string, namespace: string): string {
  if (/ErrImage|ImagePull|InvalidImageName/.test(state))
    return 'Push the image to a registry that the cluster can pull from, and name it: chains install --image REGISTRY/tekton-chains@sha256:…';
  return `Look at the Pods: kubectl describe pods -n ${namespace}; kubectl logs -n ${namespace} deployment/tekton-chains-controller. Then run this again.`;
}
