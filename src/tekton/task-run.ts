import { resourceRequirements } from './core/containers.ts';
import { podTemplate } from './core/pod-template.ts';
import { workspaceBinding } from './core/volumes.ts';
import { duration } from './duration.ts';
import { objectMeta } from './meta.ts';
import { param, taskRef } from './params.ts';
import { condition, provenance } from './provenance.ts';
import {
  always,
  flag,
  int32,
  int64,
  list,
  map,
  nested,
  type Of,
  pointer,
  pointerTo,
  type Shape,
  struct,
  text,
} from './shape.ts';
import { taskSpec } from './task.ts';
import { time } from './time.ts';
import { value } from './value.ts';

/** The first fields of the state of a step and of a sidecar. */
const containerState = {
  waiting: pointerTo({ reason: text, message: text }),
  running: pointerTo({ startedAt: time }),
  terminated: pointerTo({
    exitCode: always(int32),
    signal: int32,
    reason: text,
    message: text,
    startedAt: time,
    finishedAt: time,
    containerID: text,
  }),
  name: text,
  container: text,
  imageID: text,
};

/** The structure `TaskRunResult` of tekton.dev/v1. */
export const taskRunResult = struct({ name: always(text), type: text, value: always(value) });

const artifact = struct({
  name: text,
  values: list(struct({ digest: map(text), uri: text })),
  buildOutput: flag,
});

const stepState = struct({
  ...containerState,
  results: list(taskRunResult),
  provenance: pointer(provenance),
  terminationReason: text,
  inputs: list(artifact),
  outputs: list(artifact),
});

/** The structures `TaskRunStepSpec` and `TaskRunSidecarSpec` of tekton.dev/v1. */
export const resourcesByName = struct({ name: always(text), computeResources: always(resourceRequirements) });

/** The structure `TaskRunSpec` of tekton.dev/v1. */
export const taskRunSpec = struct({
  debug: pointerTo({ breakpoints: pointerTo({ onFailure: text, beforeSteps: list(text) }) }),
  params: list(param),
  serviceAccountName: always(text),
  taskRef: pointer(taskRef),
  taskSpec: pointer(taskSpec),
  status: text,
  statusMessage: text,
  retries: int64,
  timeout: pointer(duration),
  podTemplate: pointer(podTemplate),
  workspaces: list(workspaceBinding),
  stepSpecs: list(resourcesByName),
  sidecarSpecs: list(resourcesByName),
  computeResources: pointer(resourceRequirements),
  managedBy: pointer(text),
});

const taskRunStatus = struct({
  observedGeneration: int64,
  conditions: list(condition),
  annotations: map(text),
  podName: always(text),
  startTime: pointer(time),
  completionTime: pointer(time),
  steps: list(stepState),
  retriesStatus: list(nested((): Shape<object> => taskRunStatus)),
  results: list(taskRunResult),
  artifacts: pointerTo({ inputs: list(artifact), outputs: list(artifact) }),
  sidecars: list(struct(containerState)),
  taskSpec: pointer(taskSpec),
  provenance: pointer(provenance),
  spanContext: map(text),
});

/** The structure `TaskRun` of tekton.dev/v1. */
export const taskRun = struct({
  kind: text,
  apiVersion: text,
  metadata: objectMeta,
  spec: taskRunSpec,
  status: taskRunStatus,
});

/** What taskRun reads. */
export type TaskRun = Of<typeof taskRun>;

/** What stepState reads. */
export type StepState = Of<typeof stepState>;
