import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { at, type Json, type JsonObject, listAt, textIn } from '../../src/json.ts';
import type { World } from '../integration/world.ts';

/** Lets pods come to an end without running anything. */
export interface PretendingKubelet {
  stop(): Promise<void>;
}

/** Milliseconds that a pod is seen running, so that whoever watches its run has seen it unfinished. */
const working = 1_200;

const pods = { group: '', version: 'v1', plural: 'pods' };
const ofTekton = 'app.kubernetes.io/managed-by=tekton-pipelines';

/**
 * Plays the kubelet for Tekton's pods. A step doesn't run: its command, and the arguments `NAME=VALUE`, say how it ends, and
 * what Tekton's entrypoint would have put into the termination message of its container.
 *
 * | command | the step |
 * | --- | --- |
 * | `write NAME=VALUE…` | succeeds with these results; `artifacts` and `step.artifacts` are what is in those files |
 * | `fail NAME=VALUE…` | ends with code 3, having written these |
 * | `flaky NAME=VALUE…` | does as `fail` at the first try of its TaskRun, and then as `write` |
 * | `stay` | runs until its pod is deleted |
 */
export async function startKubelet(
  kubeconfig: string,
  call: World['call'],
  complain: (text: string) => void,
): Promise<PretendingKubelet> {
  const rest = new Rest(await openConnection({ kubeconfig }));
  const stopping = new AbortController();
  const alive = new Set<Promise<void>>();

  const patch = async (pod: JsonObject, status: JsonObject): Promise<void> => {
    const path = `/api/v1/namespaces/${named(pod, 'namespace')}/pods/${named(pod, 'name')}/status`;
    const answer = await call('PATCH', path, { status }, 'application/merge-patch+json');
    // A pod may be deleted at any time.
    if (answer.status >= 300 && answer.status !== 404) {
      throw new Error(`${path}: ${answer.status} ${textIn(at(answer.body, 'message'))}`);
    }
  };
  const live = async (pod: JsonObject): Promise<void> => {
    const startedAt = now();
    const steps = stepsOf(pod);
    await patch(pod, running(pod, startedAt));
    if (steps.some(({ ends }) => !ends)) return;
    await pause(working, undefined, { signal: stopping.signal });
    await patch(pod, finished(pod, startedAt));
  };
  const seen = (pod: JsonObject): void => {
    const life = live(pod)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) complain(`the kubelet, pod ${named(pod, 'name')}: ${String(error)}`);
      })
      .finally(() => alive.delete(life));
    alive.add(life);
  };
  const follow = async (resourceVersion: string): Promise<void> => {
    const query = { labelSelector: ofTekton, resourceVersion };
    for await (const { type, object } of rest.watch(pods, query, stopping.signal)) {
      if (type === 'ADDED') seen(object);
    }
    throw new Error('the watch of pods ended');
  };
  const empty = await call('GET', '/api/v1/pods?limit=1');
  const following = follow(textIn(at(empty.body, 'metadata', 'resourceVersion'))).catch((error: unknown) => {
    if (!stopping.signal.aborted) complain(`the kubelet: ${String(error)}`);
  });
  return {
    async stop() {
      stopping.abort();
      await following;
      await Promise.all(alive);
      await rest.close();
    },
  };
}

const named = (object: JsonObject, key: string): string => textIn(at(object, 'metadata', key));

/** As Kubernetes writes times. */
const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

/** How one step ends: its code, and what Tekton's entrypoint says in the termination message. */
interface StepEnd {
  readonly ends: boolean;
  readonly exitCode: number;
  readonly message: string;
}

function stepsOf(pod: JsonObject): readonly StepEnd[] {
  let failed = false;
  return listAt(pod, 'spec', 'containers').map((container) => {
    const end = endOf(container, { isAfterFailure: failed, isRetry: /-retry\d+$/.test(named(pod, 'name')) });
    failed ||= end.exitCode !== 0;
    return end;
  });
}

function endOf(
  container: Json,
  { isAfterFailure, isRetry }: { readonly isAfterFailure: boolean; readonly isRetry: boolean },
): StepEnd {
  const args = listAt(container, 'args').map(textIn);
  const split = args.indexOf('--');
  const [flags, given] = [args.slice(0, split), args.slice(split + 1)];
  const flag = (name: string): string => flags[flags.indexOf(name) + 1] ?? '';
  const startedAt = { key: 'StartedAt', value: new Date().toISOString(), type: resultTypes.internal };
  if (isAfterFailure) {
    const skipped = { key: 'Reason', value: 'Skipped', type: resultTypes.internal };
    return { ends: true, exitCode: 1, message: JSON.stringify([startedAt, skipped]) };
  }
  const command = flag('-entrypoint');
  const written = given.flatMap((entry) => {
    const [, name = '', value = ''] = /^([^=]+)=([^]*)$/.exec(entry) ?? [];
    return reported(name, value, flag);
  });
  const fails = command === 'fail' || (command === 'flaky' && !isRetry);
  const isIgnored = fails && flag('-on_error') === 'continue';
  const ignored = isIgnored ? [{ key: 'ExitCode', value: '3', type: resultTypes.internal }] : [];
  return {
    ends: command !== 'stay',
    exitCode: fails && !isIgnored ? 3 : 0,
    message: JSON.stringify([startedAt, ...ignored, ...written]),
  };
}

/** How Tekton numbers what a termination message says. */
const resultTypes = { task: 1, internal: 3, step: 4, stepArtifacts: 5, taskArtifacts: 6 } as const;

/** What the entrypoint tells of a file that its step has written: nothing of one that it wasn't told to look for. */
function reported(name: string, value: string, flag: (name: string) => string): readonly JsonObject[] {
  if (name === 'artifacts') {
    return [{ key: '/tekton/artifacts/provenance.json', value, type: resultTypes.taskArtifacts }];
  }
  if (name === 'step.artifacts') {
    const key = `${flag('-step_metadata_dir')}/artifacts/provenance.json`;
    return [{ key, value, type: resultTypes.stepArtifacts }];
  }
  if (flag('-results').split(',').includes(name)) return [{ key: name, value, type: resultTypes.task }];
  if (flag('-step_results').split(',').includes(name)) return [{ key: name, value, type: resultTypes.step }];
  return [];
}

function running(pod: JsonObject, startedAt: string): JsonObject {
  const initialized = { exitCode: 0, reason: 'Completed', startedAt, finishedAt: startedAt };
  return {
    phase: 'Running',
    startTime: startedAt,
    initContainerStatuses: listAt(pod, 'spec', 'initContainers').map((container) =>
      containerStatus(container, { terminated: initialized }),
    ),
    containerStatuses: listAt(pod, 'spec', 'containers').map((container) =>
      containerStatus(container, { running: { startedAt } }),
    ),
  };
}

function finished(pod: JsonObject, startedAt: string): JsonObject {
  const steps = stepsOf(pod);
  const containerStatuses = listAt(pod, 'spec', 'containers').map((container, index) => {
    const { exitCode = 0, message = '' } = steps[index] ?? {};
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    return containerStatus(container, {
      terminated: { exitCode, reason, startedAt, finishedAt: now(), message },
    });
  });
  const phase = steps.some(({ exitCode }) => exitCode !== 0) ? 'Failed' : 'Succeeded';
  return { phase, containerStatuses };
}

function containerStatus(container: Json, state: JsonObject): JsonObject {
  const [name, image] = ['name', 'image'].map((key) => textIn(at(container, key)));
  const isRunning = state['running'] !== undefined;
  return { name, image, imageID: imageIdOf(image ?? ''), restartCount: 0, ready: isRunning, state };
}

/** The image's digest is that of its name, unless it names one. */
function imageIdOf(image: string): string {
  if (image.includes('@')) return image;
  const digest = createHash('sha256').update(image).digest('hex');
  return `${image.replace(/:[^:/]*$/, '')}@sha256:${digest}`;
}
