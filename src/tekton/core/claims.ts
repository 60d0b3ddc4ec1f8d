import { labelSelector, objectMeta } from '../meta.ts';
import { quantity } from '../quantity.ts';
import { always, list, map, pointer, struct, text } from '../shape.ts';
import { time } from '../time.ts';

const modifyVolumeStatus = struct({ targetVolumeAttributesClassName: text, status: always(text) });

const volumeResourceRequirements = struct({ limits: map(quantity), requests: map(quantity) });

const typedLocalObjectReference = struct({
  apiGroup: always(pointer(text)),
  kind: always(text),
  name: always(text),
});

const typedObjectReference = struct({
  apiGroup: always(pointer(text)),
  kind: always(text),
  name: always(text),
  namespace: pointer(text),
});

const persistentVolumeClaimSpec = struct({
  accessModes: list(text),
  selector: pointer(labelSelector),
  resources: volumeResourceRequirements,
  volumeName: text,
  storageClassName: pointer(text),
  volumeMode: pointer(text),
  dataSource: pointer(typedLocalObjectReference),
  dataSourceRef: pointer(typedObjectReference),
  volumeAttributesClassName: pointer(text),
});

const persistentVolumeClaimCondition = struct({
  type: always(text),
  status: always(text),
  lastProbeTime: time,
  lastTransitionTime: time,
  reason: text,
  message: text,
});

const persistentVolumeClaimStatus = struct({
  phase: text,
  accessModes: list(text),
  capacity: map(quantity),
  conditions: list(persistentVolumeClaimCondition),
  allocatedResources: map(quantity),
  allocatedResourceStatuses: map(text),
  currentVolumeAttributesClassName: pointer(text),
  modifyVolumeStatus: pointer(modifyVolumeStatus),
});

/** The structure `PersistentVolumeClaim` of core/v1. */
export const persistentVolumeClaim = struct({
  kind: text,
  apiVersion: text,
  metadata: objectMeta,
  spec: persistentVolumeClaimSpec,
  status: persistentVolumeClaimStatus,
});

/** The structure `PersistentVolumeClaimTemplate` of core/v1. */
export const persistentVolumeClaimTemplate = struct({
  metadata: objectMeta,
  spec: always(persistentVolumeClaimSpec),
});
