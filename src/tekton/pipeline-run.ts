import { resourceRequirements } from './core/containers.ts';
import { podTemplate } from './core/pod-template.ts';
import { duration } from './duration.ts';
import { objectMeta } from './meta.ts';
import { param, pipelineRef, whenExpression } from './params.ts';
import { pipelineSpec, pipelineTaskMetadata } from './pipeline.ts';
import { condition, provenance } from './provenance.ts';
import { always, int64, list, map, type Of, pointer, struct, text } from './shape.ts';
import { taskRunSidecarSpec, taskRunStepSpec } from './task-run.ts';
import { time } from './time.ts';
import { value } from './value.ts';
import { workspaceBinding } from './workspaces.ts';

const childStatusReference = struct({
  apiVersion: text,
  kind: text,
  name: text,
  displayName: text,
  pipelineTaskName: text,
  whenExpressions: list(whenExpression),
});

const timeoutFields = struct({
  pipeline: pointer(duration),
  tasks: pointer(duration),
  finally: pointer(duration),
});

const pipelineTaskRunTemplate = struct({ podTemplate: pointer(podTemplate), serviceAccountName: text });

const pipelineTaskRunSpec = struct({
  pipelineTaskName: text,
  serviceAccountName: text,
  podTemplate: pointer(podTemplate),
  stepSpecs: list(taskRunStepSpec),
  sidecarSpecs: list(taskRunSidecarSpec),
  metadata: pointer(pipelineTaskMetadata),
  computeResources: pointer(resourceRequirements),
  timeout: pointer(duration),
});

/** The structure `PipelineRunSpec` of tekton.dev/v1. */
export const pipelineRunSpec = struct({
  pipelineRef: pointer(pipelineRef),
  pipelineSpec: pointer(pipelineSpec),
  params: list(param),
  status: text,
  timeouts: pointer(timeoutFields),
  taskRunTemplate: pipelineTaskRunTemplate,
  workspaces: list(workspaceBinding),
  taskRunSpecs: list(pipelineTaskRunSpec),
  managedBy: pointer(text),
});

/** The structure `PipelineRunResult` of tekton.dev/v1. */
export const pipelineRunResult = struct({ name: always(text), value: always(value) });

const skippedTask = struct({
  name: always(text),
  reason: always(text),
  whenExpressions: list(whenExpression),
});

/** The structure `PipelineRunStatus` of tekton.dev/v1. */
export const pipelineRunStatus = struct({
  observedGeneration: int64,
  conditions: list(condition),
  annotations: map(text),
  startTime: pointer(time),
  completionTime: pointer(time),
  results: list(pipelineRunResult),
  pipelineSpec: pointer(pipelineSpec),
  skippedTasks: list(skippedTask),
  childReferences: list(childStatusReference),
  finallyStartTime: pointer(time),
  provenance: pointer(provenance),
  spanContext: map(text),
});

/** The structure `PipelineRun` of tekton.dev/v1. */
export const pipelineRun = struct({
  kind: text,
  apiVersion: text,
  metadata: objectMeta,
  spec: pipelineRunSpec,
  status: pipelineRunStatus,
});

/** What pipelineRun reads. */
export type PipelineRun = Of<typeof pipelineRun>;
