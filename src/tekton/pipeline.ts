import { duration } from './duration.ts';
import { matrix, param, paramSpec, pipelineRef, taskRef, whenExpression } from './params.ts';
import { rawJson, value } from './value.ts';
import { always, int64, list, map, nested, type Of, pointer, type Shape, struct, text } from './shape.ts';
import { taskSpecFields } from './task.ts';
import { pipelineWorkspaceDeclaration, workspacePipelineTaskBinding } from './workspaces.ts';

/** The structure `PipelineTaskMetadata` of tekton.dev/v1. */
export const pipelineTaskMetadata = struct({ labels: map(text), annotations: map(text) });

/** The structure `EmbeddedTask` of tekton.dev/v1. */
export const embeddedTask = struct({
  apiVersion: text,
  kind: text,
  spec: rawJson,
  metadata: pipelineTaskMetadata,
  ...taskSpecFields,
});

const pipelineResult = struct({
  name: always(text),
  type: text,
  description: always(text),
  value: always(value),
});

/** The structure `PipelineTask` of tekton.dev/v1. */
export const pipelineTask = struct({
  name: text,
  displayName: text,
  description: text,
  taskRef: pointer(taskRef),
  taskSpec: pointer(embeddedTask),
  when: list(whenExpression),
  retries: int64,
  runAfter: list(text),
  params: list(param),
  matrix: pointer(matrix),
  workspaces: list(workspacePipelineTaskBinding),
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
  workspaces: list(pipelineWorkspaceDeclaration),
  results: list(pipelineResult),
  finally: list(pipelineTask),
});

/** What pipelineTask reads. */
export type PipelineTask = Of<typeof pipelineTask>;
