import { always, list, map, type Of, pointer, struct, text } from './shape.ts';
import { value } from './value.ts';

/** The structure `Param` of tekton.dev/v1. */
export const param = struct({ name: always(text), value: always(value) });

/** The structure `PropertySpec` of tekton.dev/v1. */
export const propertySpec = struct({ type: text });

/** The structure `ParamSpec` of tekton.dev/v1. */
export const paramSpec = struct({
  name: always(text),
  type: text,
  description: text,
  properties: map(propertySpec),
  default: pointer(value),
  enum: list(text),
});

/** The structure `PipelineRef` of tekton.dev/v1. */
export const pipelineRef = struct({ name: text, apiVersion: text, resolver: text, params: list(param) });

/** The structure `TaskRef` of tekton.dev/v1. */
export const taskRef = struct({
  name: text,
  kind: text,
  apiVersion: text,
  resolver: text,
  params: list(param),
});

/** The structure `WhenExpression` of tekton.dev/v1. */
export const whenExpression = struct({ input: text, operator: text, values: list(text), cel: text });

/** What param reads. */
export type Param = Of<typeof param>;

/** What paramSpec reads. */
export type ParamSpec = Of<typeof paramSpec>;
