import { setTimeout as pause } from 'node:timers/promises';
import { ChainsError } from '../errors.ts';
import { at, type JsonObject, objectIn, textIn } from '../json.ts';
import type { ObjectName, Resource } from '../kubernetes/call.ts';
import { type Rest, unlessMissing } from '../kubernetes/rest.ts';
import { messageMark, signedMark } from '../model/marks.ts';
import { parseRun } from '../model/run.ts';
import type { Patience } from './rollout.ts';

/** A run that is made to see whether runs are signed. */
export interface CheckRun {
  readonly resource: Resource;
  readonly name: ObjectName;
}

/**
 * Creates a TaskRun that is cancelled from the start: Tekton ends it without a Pod, so that it needs no image and no node, and
 * an ended run is signed whatever its outcome.
 */
export async function createCheckRun(rest: Rest, resource: Resource, namespace: string): Promise<CheckRun> {
  const created = await rest.create(resource, namespace, {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: 'TaskRun',
    metadata: { generateName: 'chains-install-' },
    spec: {
      status: 'TaskRunCancelled',
      taskSpec: { steps: [{ name: 'never-started', image: 'never-pulled', script: 'true' }] },
    },
  });
  return { resource, name: { namespace, name: textIn(at(created, 'metadata', 'name')) } };
}

/** Waits until the run is marked. @throws ChainsError INSTALLATION_UNFINISHED saying who has not done its part */
export async function untilSigned(rest: Rest, run: CheckRun, { within, every }: Patience): Promise<void> {
  const deadline = Date.now() + within;
  for (;;) {
    const current = await rest.get(run.resource, run.name);
    const annotations = objectIn(at(current, 'metadata', 'annotations'));
    const mark = annotations[signedMark];
    if (mark === 'true') return;
    const message = textIn(annotations[messageMark]);
    if (mark === 'failed' || Date.now() >= deadline) throw unsigned(current, run.name, message, within);
    await pause(every);
  }
}

function unsigned(
  run: JsonObject,
  { namespace, name }: ObjectName,
  message: string,
  within: number,
): ChainsError {
  const [what, time] = [`TaskRun ${name} in the namespace ${namespace}`, `${within / 1000} seconds`];
  if (message !== '')
    return new ChainsError('INSTALLATION_UNFINISHED', `${what} could not be signed: ${message}`, {
      hint: `docs/troubleshooting.md says what to do about it; chains explain taskrun/${name} -n ${namespace} shows more.`,
    });
  if (parseRun(run).progress.state !== 'done')
    return new ChainsError('INSTALLATION_UNFINISHED', `Tekton has not ended ${what} within ${time}`, {
      hint: `See whether Tekton's own controller runs. Everything is installed: once a run ends, chains verify taskrun/NAME -n NAMESPACE --key k8s://${namespace}/signing-secrets verifies it.`,
    });
  return new ChainsError('INSTALLATION_UNFINISHED', `${what} was not signed within ${time}`, {
    hint: `Look at the controller's log: kubectl logs -n ${namespace} deployment/tekton-chains-controller`,
  });
}

/** Deletes the run; it may be gone already. */
export async function deleteCheckRun(rest: Rest, { resource, name }: CheckRun): Promise<void> {
  await unlessMissing(rest.delete(resource, name));
}
