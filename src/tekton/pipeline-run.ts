import { resourceRequirements } from './core/containers.ts';
import { podTemplate } from './core/pod-template.ts';
import { workspaceBinding } from './core/volumes.ts';
import { duration } from './duration.ts';
import { objectMeta } from './meta.ts';
import { param, pipelineRef, whenExpression } from './params.ts';
import { pipelineSpec, pipelineTaskMetadata } from './pipeline.ts';
import { condition, provenance } from './provenance.ts';
import { always, int64, list, map, type Of, pointer, pointerTo, struct, text } from './shape.ts';
import { resourcesByName } from './task-run.ts';
import { time } from './time.ts';
import { value } from './value.ts';

/** The structure `PipelineRunSpec` of tekton.dev/v1. */
export const pipelineRunSpec = struct({
  pipelineRef: pointer(pipelineRef),
  pipelineSpec: pointer(pipelineSpec),
  params: list(param),
  status: text,
  timeouts: pointerTo({ pipeline: pointer(duration), tasks: pointer(duration), finally: pointer(duration) }),
  taskRunTemplate: struct({ podTemplate: pointer(podTemplate), serviceAccountName: text }),
  workspaces: list(workspaceBinding),
  taskRunSpecs: list(
    struct({
      pipelineTaskName: text,
      serviceAccountName: text,
      podTemplate: pointer(podTemplate),
      stepSpecs: list(resourcesByName),
      sidecarSpecs: list(resourcesByName),
      metadata: pointer(pipelineTaskMetadata),
      computeResources: pointer(resourceRequirements),
      timeout: pointer(duration),
    }),
  ),
  managedBy: pointer(text),
});

const pipelineRunStatus = struct({
  observedGeneration: int64,
  conditions: list(condition),
  annotations: map(text),
  startTime: pointer(time),
  completionTime: pointer(time),
  results: list(struct({ name: always(text), value: always(value) })),
  pipelineSpec: pointer(pipelineSpec),
  skippedTasks: list(
    struct({ name: always(text), reason: always(text), whenExpressions: list(whenExpression) }),
  ),
  childReferences: list(
    struct({
      apiVersion: text,
      kind: text,
      name: text,
      displayName: text,
      pipelineTaskName: text,
      whenExpressions: list(whenExpression),
    }),
  ),
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
