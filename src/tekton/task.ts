import {
  envFromSource,
  envVar,
  lifecycle,
  probe,
  resourceRequirements,
  securityContext,
  volumeMount,
} from './core/containers.ts';
import { volume } from './core/volumes.ts';
import { duration } from './duration.ts';
import { param, paramSpec, propertySpec, whenExpression } from './params.ts';
import { always, flag, int32, list, map, type Of, pointer, pointerTo, struct, text } from './shape.ts';
import { value } from './value.ts';

/** What runs in a container. Go's order of fields is kept, here and everywhere. */
const program = {
  image: text,
  command: list(text),
  args: list(text),
  workingDir: text,
};

/** The environment, resources and volumes of a container. */
const surroundings = {
  envFrom: list(envFromSource),
  env: list(envVar),
  computeResources: resourceRequirements,
  volumeMounts: list(volumeMount),
  volumeDevices: list(struct({ name: always(text), devicePath: always(text) })),
};

/** What a step and the template of steps share. */
const container = {
  ...program,
  ...surroundings,
  imagePullPolicy: text,
  securityContext: pointer(securityContext),
};

const workspaceUsage = struct({ name: always(text), mountPath: always(text) });

const sidecar = struct({
  name: always(text),
  ...program,
  ports: list(
    struct({ name: text, hostPort: int32, containerPort: always(int32), protocol: text, hostIP: text }),
  ),
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

const step = struct({
  name: always(text),
  displayName: text,
  ...container,
  script: text,
  timeout: pointer(duration),
  workspaces: list(workspaceUsage),
  onError: text,
  stdoutConfig: pointer(stepOutputConfig),
  stderrConfig: pointer(stepOutputConfig),
  ref: pointerTo({ name: text, resolver: text, params: list(param) }),
  params: list(param),
  results: list(struct({ name: always(text), type: text, properties: map(propertySpec), description: text })),
  when: list(whenExpression),
});

/** The fields of {@link taskSpec}, which a Task within a Pipeline has too. */
export const taskSpecFields = {
  params: list(paramSpec),
  displayName: text,
  description: text,
  steps: list(step),
  volumes: list(volume),
  stepTemplate: pointerTo(container),
  sidecars: list(sidecar),
  workspaces: list(
    struct({ name: always(text), description: text, mountPath: text, readOnly: flag, optional: flag }),
  ),
  results: list(
    struct({
      name: always(text),
      type: text,
      properties: map(propertySpec),
      description: text,
      value: pointer(value),
    }),
  ),
};

/** The structure `TaskSpec` of tekton.dev/v1. */
export const taskSpec = struct(taskSpecFields);

/** What step reads. */
export type Step = Of<typeof step>;

/** What sidecar reads. */
export type Sidecar = Of<typeof sidecar>;
