import {
  containerPort,
  envFromSource,
  envVar,
  resourceRequirements,
  volumeDevice,
  volumeMount,
} from './core/containers.ts';
import { lifecycle, probe } from './core/probes.ts';
import { securityContext } from './core/security.ts';
import { volume } from './core/volumes.ts';
import { duration } from './duration.ts';
import { param, paramSpec, propertySpec, ref, whenExpression } from './params.ts';
import { always, flag, list, map, type Of, pointer, struct, text } from './shape.ts';
import { value } from './value.ts';
import { workspaceDeclaration, workspaceUsage } from './workspaces.ts';

/** What runs in a container. The order of fields is Go's, as everywhere here. */
const program = {
  image: text,
  command: list(text),
  args: list(text),
  workingDir: text,
};

/** What it finds there. */
const surroundings = {
  envFrom: list(envFromSource),
  env: list(envVar),
  computeResources: resourceRequirements,
  volumeMounts: list(volumeMount),
  volumeDevices: list(volumeDevice),
};

/** What a step and the template of steps have in common. */
const container = {
  ...program,
  ...surroundings,
  imagePullPolicy: text,
  securityContext: pointer(securityContext),
};

/** The structure `Sidecar` of tekton.dev/v1. */
export const sidecar = struct({
  name: always(text),
  ...program,
  ports: list(containerPort),
  ...surroundings,
  livenessProbe: pointer(probe),
  readinessProbe: pointer(probe),
  startupProbe: pointer(probe),
  lifecycle: pointer(lifecycle),
  terminationMessagePath: text,
  terminationMessagePolicy: text,
  imagePullPolicy: text,
  securityContext: pointer(securityContext),
  stdin: flag,
  stdinOnce: flag,
  tty: flag,
  script: text,
  workspaces: list(workspaceUsage),
  restartPolicy: pointer(text),
});

const stepOutputConfig = struct({ path: text });

const stepResult = struct({
  name: always(text),
  type: text,
  properties: map(propertySpec),
  description: text,
});

/** The structure `Step` of tekton.dev/v1. */
export const step = struct({
  name: always(text),
  displayName: text,
  ...container,
  script: text,
  timeout: pointer(duration),
  workspaces: list(workspaceUsage),
  onError: text,
  stdoutConfig: pointer(stepOutputConfig),
  stderrConfig: pointer(stepOutputConfig),
  ref: pointer(ref),
  params: list(param),
  results: list(stepResult),
  when: list(whenExpression),
});

/** The structure `StepTemplate` of tekton.dev/v1. */
export const stepTemplate = struct({
  ...container,
});

/** The structure `TaskResult` of tekton.dev/v1. */
export const taskResult = struct({
  name: always(text),
  type: text,
  properties: map(propertySpec),
  description: text,
  value: pointer(value),
});

/** The fields of {@link taskSpec}, which a Task within a Pipeline has too. */
export const taskSpecFields = {
  params: list(paramSpec),
  displayName: text,
  description: text,
  steps: list(step),
  volumes: list(volume),
  stepTemplate: pointer(stepTemplate),
  sidecars: list(sidecar),
  workspaces: list(workspaceDeclaration),
  results: list(taskResult),
};

/** The structure `TaskSpec` of tekton.dev/v1. */
export const taskSpec = struct(taskSpecFields);

/** What taskSpec reads. */
export type TaskSpec = Of<typeof taskSpec>;

/** What step reads. */
export type Step = Of<typeof step>;

/** What sidecar reads. */
export type Sidecar = Of<typeof sidecar>;
