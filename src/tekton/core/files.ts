import { labelSelector } from '../meta.ts';
import { quantity } from '../quantity.ts';
import { always, flag, int32, int64, list, map, pointer, struct, text } from '../shape.ts';
import { persistentVolumeClaimTemplate } from './claims.ts';
import { localObjectReference, objectFieldSelector, resourceFieldSelector } from './containers.ts';

/** The structure `CSIVolumeSource` of core/v1. */
export const csiVolumeSource = struct({
  driver: always(text),
  readOnly: pointer(flag),
  fsType: pointer(text),
  volumeAttributes: map(text),
  nodePublishSecretRef: pointer(localObjectReference),
});

const clusterTrustBundleProjection = struct({
  name: pointer(text),
  signerName: pointer(text),
  labelSelector: pointer(labelSelector),
  optional: pointer(flag),
  path: always(text),
});

const keyToPath = struct({ key: always(text), path: always(text), mode: pointer(int32) });

const configMapProjection = struct({ name: text, items: list(keyToPath), optional: pointer(flag) });

/** The structure `ConfigMapVolumeSource` of core/v1. */
export const configMapVolumeSource = struct({
  name: text,
  items: list(keyToPath),
  defaultMode: pointer(int32),
  optional: pointer(flag),
});

const downwardAPIVolumeFile = struct({
  path: always(text),
  fieldRef: pointer(objectFieldSelector),
  resourceFieldRef: pointer(resourceFieldSelector),
  mode: pointer(int32),
});

const downwardAPIProjection = struct({ items: list(downwardAPIVolumeFile) });

/** The structure `DownwardAPIVolumeSource` of core/v1. */
export const downwardAPIVolumeSource = struct({
  items: list(downwardAPIVolumeFile),
  defaultMode: pointer(int32),
});

/** The structure `EmptyDirVolumeSource` of core/v1. */
export const emptyDirVolumeSource = struct({ medium: text, sizeLimit: pointer(quantity) });

/** The structure `EphemeralVolumeSource` of core/v1. */
export const ephemeralVolumeSource = struct({ volumeClaimTemplate: pointer(persistentVolumeClaimTemplate) });

/** The structure `HostPathVolumeSource` of core/v1. */
export const hostPathVolumeSource = struct({ path: always(text), type: pointer(text) });

/** The structure `ImageVolumeSource` of core/v1. */
export const imageVolumeSource = struct({ reference: text, pullPolicy: text });

/** The structure `PersistentVolumeClaimVolumeSource` of core/v1. */
export const persistentVolumeClaimVolumeSource = struct({ claimName: always(text), readOnly: flag });

const podCertificateProjection = struct({
  signerName: text,
  keyType: text,
  maxExpirationSeconds: pointer(int32),
  credentialBundlePath: text,
  keyPath: text,
  certificateChainPath: text,
  userAnnotations: map(text),
});

const secretProjection = struct({ name: text, items: list(keyToPath), optional: pointer(flag) });

const serviceAccountTokenProjection = struct({
  audience: text,
  expirationSeconds: pointer(int64),
  path: always(text),
});

const volumeProjection = struct({
  secret: pointer(secretProjection),
  downwardAPI: pointer(downwardAPIProjection),
  configMap: pointer(configMapProjection),
  serviceAccountToken: pointer(serviceAccountTokenProjection),
  clusterTrustBundle: pointer(clusterTrustBundleProjection),
  podCertificate: pointer(podCertificateProjection),
});

/** The structure `ProjectedVolumeSource` of core/v1. */
export const projectedVolumeSource = struct({
  sources: always(list(volumeProjection)),
  defaultMode: pointer(int32),
});

/** The structure `SecretVolumeSource` of core/v1. */
export const secretVolumeSource = struct({
  secretName: text,
  items: list(keyToPath),
  defaultMode: pointer(int32),
  optional: pointer(flag),
});
