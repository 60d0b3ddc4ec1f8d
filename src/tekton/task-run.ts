import {
  containerStateRunning,
  containerStateTerminated,
  containerStateWaiting,
  resourceRequirements,
} from './core/containers.ts';
import { podTemplate } from './core/pod-template.ts';
import { duration } from './duration.ts';
import { objectMeta } from './meta.ts';
import { param, taskRef } from './params.ts';
import { artifact, artifacts, condition, provenance } from './provenance.ts';
import { always, int64, list, map, nested, type Of, pointer, type Shape, struct, text } from './shape.ts';
import { taskSpec } from './task.ts';
import { time } from './time.ts';
import { value } from './value.ts';
import { workspaceBinding } from './workspaces.ts';

/** What the state of a step and of a sidecar begin with. */
const containerState = {
  waiting: pointer(containerStateWaiting),
  running: pointer(containerStateRunning),
  terminated: pointer(containerStateTerminated),
  name: text,
  container: text,
  imageID: text,
};

const sidecarState = struct(containerState);

/** The structure `TaskRunResult` of tekton.dev/v1. */
export const taskRunResult = struct({ name: always(text), type: text, value: always(value) });

/** The structure `StepState` of tekton.dev/v1. */
export const stepState = struct({
  ...containerState,
  results: list(taskRunResult),
  provenance: pointer(provenance),
  terminationReason: text,
  inputs: list(artifact),
  outputs: list(artifact),
});

const taskBreakpoints = struct({ onFailure: text, beforeSteps: list(text) });

const taskRunDebug = struct({ breakpoints: pointer(taskBreakpoints) });

/** The structure `TaskRunStepSpec` of tekton.dev/v1. */
export const taskRunStepSpec = struct({ name: always(text), computeResources: always(resourceRequirements) });

/** The structure `TaskRunSidecarSpec` of tekton.dev/v1. */
export const taskRunSidecarSpec = struct({
  name: always(text),
  computeResources: always(resourceRequirements),
});

/** The structure `TaskRunSpec` of tekton.dev/v1. */
export const taskRunSpec = struct({
  debug: pointer(taskRunDebug),
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
  stepSpecs: list(taskRunStepSpec),
  sidecarSpecs: list(taskRunSidecarSpec),
  computeResources: pointer(resourceRequirements),
  managedBy: pointer(text),
});

/** The structure `TaskRunStatus` of tekton.dev/v1. */
export const taskRunStatus = struct({
  observedGeneration: int64,
  conditions: list(condition),
  annotations: map(text),
  podName: always(text),
  startTime: pointer(time),
  completionTime: pointer(time),
  steps: list(stepState),
  retriesStatus: list(nested((): Shape<object> => taskRunStatus)),
  results: list(taskRunResult),
  artifacts: pointer(artifacts),
  sidecars: list(sidecarState),
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

/** What taskRunResult reads. */
export type TaskRunResult = Of<typeof taskRunResult>;

/** What stepState reads. */
export type StepState = Of<typeof stepState>;
