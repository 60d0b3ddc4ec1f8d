import { quantity } from '../quantity.ts';
import { always, flag, int32, list, map, type Of, pointer, struct, text } from '../shape.ts';
import { time } from '../time.ts';

const configMapEnvSource = struct({ name: text, optional: pointer(flag) });

const configMapKeySelector = struct({ name: text, key: always(text), optional: pointer(flag) });

/** The structure `ContainerPort` of core/v1. */
export const containerPort = struct({
  name: text,
  hostPort: int32,
  containerPort: always(int32),
  protocol: text,
  hostIP: text,
});

/** The structure `ContainerStateRunning` of core/v1. */
export const containerStateRunning = struct({ startedAt: time });

/** The structure `ContainerStateTerminated` of core/v1. */
export const containerStateTerminated = struct({
  exitCode: always(int32),
  signal: int32,
  reason: text,
  message: text,
  startedAt: time,
  finishedAt: time,
  containerID: text,
});

/** The structure `ContainerStateWaiting` of core/v1. */
export const containerStateWaiting = struct({ reason: text, message: text });

const secretEnvSource = struct({ name: text, optional: pointer(flag) });

/** The structure `EnvFromSource` of core/v1. */
export const envFromSource = struct({
  prefix: text,
  configMapRef: pointer(configMapEnvSource),
  secretRef: pointer(secretEnvSource),
});

/** The structure `ObjectFieldSelector` of core/v1. */
export const objectFieldSelector = struct({ apiVersion: text, fieldPath: always(text) });

/** The structure `ResourceFieldSelector` of core/v1. */
export const resourceFieldSelector = struct({
  containerName: text,
  resource: always(text),
  divisor: quantity,
});

const secretKeySelector = struct({ name: text, key: always(text), optional: pointer(flag) });

const fileKeySelector = struct({
  volumeName: always(text),
  path: always(text),
  key: always(text),
  optional: pointer(flag),
});

const envVarSource = struct({
  fieldRef: pointer(objectFieldSelector),
  resourceFieldRef: pointer(resourceFieldSelector),
  configMapKeyRef: pointer(configMapKeySelector),
  secretKeyRef: pointer(secretKeySelector),
  fileKeyRef: pointer(fileKeySelector),
});

/** The structure `EnvVar` of core/v1. */
export const envVar = struct({ name: always(text), value: text, valueFrom: pointer(envVarSource) });

/** The structure `LocalObjectReference` of core/v1. */
export const localObjectReference = struct({ name: text });

const resourceClaim = struct({ name: always(text), request: text });

/** The structure `ResourceRequirements` of core/v1. */
export const resourceRequirements = struct({
  limits: map(quantity),
  requests: map(quantity),
  claims: list(resourceClaim),
});

/** The structure `VolumeDevice` of core/v1. */
export const volumeDevice = struct({ name: always(text), devicePath: always(text) });

/** The structure `VolumeMount` of core/v1. */
export const volumeMount = struct({
  name: always(text),
  readOnly: flag,
  recursiveReadOnly: pointer(text),
  mountPath: always(text),
  subPath: text,
  mountPropagation: pointer(text),
  subPathExpr: text,
});

/** What envVar reads. */
export type EnvVar = Of<typeof envVar>;
