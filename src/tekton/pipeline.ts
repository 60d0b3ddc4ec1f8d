import { duration } from './duration.ts';
import { param, paramSpec, pipelineRef, taskRef, whenExpression } from './params.ts';
import { rawJson, value } from './value.ts';
import {
  always,
  flag,
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
import { taskSpecFields } from './task.ts';

/** The structure `PipelineTaskMetadata` of tekton.dev/v1. */
export const pipelineTaskMetadata = struct({ labels: map(text), annotations: map(text) });

const pipelineTask = struct({
  name: text,
  displayName: text,
  description: text,
  taskRef: pointer(taskRef),
  taskSpec: pointerTo({
    apiVersion: text,
    kind: text,
    spec: rawJson,
    metadata: pipelineTaskMetadata,
    ...taskSpecFields,
  }),
  when: list(whenExpression),
  retries: int64,
  runAfter: list(text),
  params: list(param),
  matrix: pointerTo({ params: list(param), include: list(struct({ name: text, params: list(param) })) }),
  workspaces: list(struct({ name: always(text), workspace: text, subPath: text })),
  timeout: pointer(duration),
  pipelineRef: pointer(pipelineRef),
  pipelineSpec: pointer(nested((): Shape<object> => pipelineSpec)),
  onError: text,
});

/** The structure `PipelineSpec` of tekton.dev/v1. */
export const pipelineSpec = struct({
  displayName: text,
  description: text,
  tasks: list(pipelineTask),
  params: list(paramSpec),
  workspaces: list(struct({ name: always(text), description: text, optional: flag })),
  results: list(struct({ name: always(text), type: text, description: always(text), value: always(value) })),
  finally: list(pipelineTask),
});

/** What pipelineTask reads. */
export type PipelineTask = Of<typeof pipelineTask>;
