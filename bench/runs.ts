import type { JsonObject } from '../src/json.ts';

/** The label that all runs of one measurement share. */
export const measurementLabel = 'bench.chains.tekton.dev/measurement';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const line = '/kaniko/executor --context=. --destination="$IMAGE"\n';
const steps = ['fetch', 'build', 'test', 'push'];

/** How large runs are once they are done. */
export type RunSize = '5 KB' | '47 KB';

const linesOfScript: Readonly<Record<RunSize, number>> = { '5 KB': 10, '47 KB': 212 };

/** A run: four steps with scripts, parameters, and an image in its results. */
export function newRun(namespace: string, name: string, measurement: string, size: RunSize): JsonObject {
  const script = `#!/bin/sh\nset -eu\n${line.repeat(linesOfScript[size])}`;
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { name, namespace, labels: { [measurementLabel]: measurement } },
    spec: {
      params: [{ name: 'IMAGE', value: 'registry.example.com/bench/image' }],
      taskSpec: {
        params: [{ name: 'IMAGE', type: 'string' }],
        results: [{ name: 'IMAGE_URL' }, { name: 'IMAGE_DIGEST' }],
        steps: steps.map((step) => ({ name: step, image: `busybox@${digest}`, script })),
      },
    },
  };
}

/** The status of a run that has begun. */
export const begun: JsonObject = {
  conditions: [{ type: 'Succeeded', status: 'Unknown', reason: 'Running' }],
  startTime: '2026-01-01T10:00:00Z',
};

/** The status of a run that is done. Every name gives another digest. */
export function done(name: string): JsonObject {
  return {
    conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded' }],
    startTime: '2026-01-01T10:00:00Z',
    completionTime: '2026-01-01T10:01:00Z',
    podName: `${name}-pod`,
    steps: steps.map((step) => ({
      name: step,
      container: `step-${step}`,
      imageID: `docker.io/library/busybox@${digest}`,
      terminated: {
        exitCode: 0,
        reason: 'Completed',
        startedAt: '2026-01-01T10:00:00Z',
        finishedAt: '2026-01-01T10:01:00Z',
      },
    })),
    results: [
      { name: 'IMAGE_URL', type: 'string', value: 'registry.example.com/bench/image' },
      { name: 'IMAGE_DIGEST', type: 'string', value: digest },
    ],
  };
}
