import { always, list, map, type Of, pointer, struct, text } from './shape.ts';
import { value } from './value.ts';

/** The structure `Param` of tekton.dev/v1. */
export const param = struct({ name: always(text), value: always(value) });

const includeParams = struct({ name: text, params: list(param) });

/** The structure `Matrix` of tekton.dev/v1. */
export const matrix = struct({ params: list(param), include: list(includeParams) });

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

/** The structure `Ref` of tekton.dev/v1. */
export const ref = struct({ name: text, resolver: text, params: list(param) });

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

/** What matrix reads. */
export type Matrix = Of<typeof matrix>;

/** What whenExpression reads. */
export type WhenExpression = Of<typeof whenExpression>;
