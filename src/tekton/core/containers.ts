import { quantity } from '../quantity.ts';
import {
  always,
  flag,
  int32,
  int64,
  list,
  map,
  type Of,
  pointer,
  pointerTo,
  struct,
  text,
} from '../shape.ts';
import { numberOrName } from '../value.ts';

/** ConfigMapEnvSource and SecretEnvSource. */
const envSource = struct({ name: text, optional: pointer(flag) });

/** The structure `EnvFromSource` of core/v1. */
export const envFromSource = struct({
  prefix: text,
  configMapRef: pointer(envSource),
  secretRef: pointer(envSource),
});

/** The structure `ObjectFieldSelector` of core/v1. */
export const objectFieldSelector = struct({ apiVersion: text, fieldPath: always(text) });

/** The structure `ResourceFieldSelector` of core/v1. */
export const resourceFieldSelector = struct({
  containerName: text,
  resource: always(text),
  divisor: quantity,
});

/** ConfigMapKeySelector and SecretKeySelector. */
const keySelector = struct({ name: text, key: always(text), optional: pointer(flag) });

/** The structure `EnvVar` of core/v1. */
export const envVar = struct({
  name: always(text),
  value: text,
  valueFrom: pointerTo({
    fieldRef: pointer(objectFieldSelector),
    resourceFieldRef: pointer(resourceFieldSelector),
    configMapKeyRef: pointer(keySelector),
    secretKeyRef: pointer(keySelector),
    fileKeyRef: pointerTo({
      volumeName: always(text),
      path: always(text),
      key: always(text),
      optional: pointer(flag),
    }),
  }),
});

/** The structure `LocalObjectReference` of core/v1. */
export const localObjectReference = struct({ name: text });

/** The structure `ResourceRequirements` of core/v1. */
export const resourceRequirements = struct({
  limits: map(quantity),
  requests: map(quantity),
  claims: list(struct({ name: always(text), request: text })),
});

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

const execAction = struct({ command: list(text) });

const httpGetAction = struct({
  path: text,
  port: always(numberOrName),
  host: text,
  scheme: text,
  httpHeaders: list(struct({ name: always(text), value: always(text) })),
});

const tcpSocketAction = struct({ port: always(numberOrName), host: text });

const lifecycleHandler = struct({
  exec: pointer(execAction),
  httpGet: pointer(httpGetAction),
  tcpSocket: pointer(tcpSocketAction),
  sleep: pointerTo({ seconds: always(int64) }),
});

/** The structure `Lifecycle` of core/v1. */
export const lifecycle = struct({
  postStart: pointer(lifecycleHandler),
  preStop: pointer(lifecycleHandler),
  stopSignal: pointer(text),
});

/** The structure `Probe` of core/v1. */
export const probe = struct({
  exec: pointer(execAction),
  httpGet: pointer(httpGetAction),
  tcpSocket: pointer(tcpSocketAction),
  grpc: pointerTo({ port: always(int32), service: always(pointer(text)) }),
  initialDelaySeconds: int32,
  timeoutSeconds: int32,
  periodSeconds: int32,
  successThreshold: int32,
  failureThreshold: int32,
  terminationGracePeriodSeconds: pointer(int64),
});

/** AppArmorProfile and SeccompProfile. */
const profile = struct({ type: always(text), localhostProfile: pointer(text) });

const seLinuxOptions = struct({ user: text, role: text, type: text, level: text });

const windowsSecurityContextOptions = struct({
  gmsaCredentialSpecName: pointer(text),
  gmsaCredentialSpec: pointer(text),
  runAsUserName: pointer(text),
  hostProcess: pointer(flag),
});

/** The structure `PodSecurityContext` of core/v1. */
export const podSecurityContext = struct({
  seLinuxOptions: pointer(seLinuxOptions),
  windowsOptions: pointer(windowsSecurityContextOptions),
  runAsUser: pointer(int64),
  runAsGroup: pointer(int64),
  runAsNonRoot: pointer(flag),
  supplementalGroups: list(int64),
  supplementalGroupsPolicy: pointer(text),
  fsGroup: pointer(int64),
  sysctls: list(struct({ name: always(text), value: always(text) })),
  fsGroupChangePolicy: pointer(text),
  seccompProfile: pointer(profile),
  appArmorProfile: pointer(profile),
  seLinuxChangePolicy: pointer(text),
});

/** The structure `SecurityContext` of core/v1. */
export const securityContext = struct({
  capabilities: pointerTo({ add: list(text), drop: list(text) }),
  privileged: pointer(flag),
  seLinuxOptions: pointer(seLinuxOptions),
  windowsOptions: pointer(windowsSecurityContextOptions),
  runAsUser: pointer(int64),
  runAsGroup: pointer(int64),
  runAsNonRoot: pointer(flag),
  readOnlyRootFilesystem: pointer(flag),
  allowPrivilegeEscalation: pointer(flag),
  procMount: pointer(text),
  seccompProfile: pointer(profile),
  appArmorProfile: pointer(profile),
});

/** What envVar reads. */
export type EnvVar = Of<typeof envVar>;
