import { labelSelector, objectMeta } from '../meta.ts';
import { quantity } from '../quantity.ts';
import { always, flag, int32, int64, list, map, pointer, pointerTo, struct, text } from '../shape.ts';
import { time } from '../time.ts';
import { localObjectReference, objectFieldSelector, resourceFieldSelector } from './containers.ts';

const claimSpec = struct({
  accessModes: list(text),
  selector: pointer(labelSelector),
  resources: struct({ limits: map(quantity), requests: map(quantity) }),
  volumeName: text,
  storageClassName: pointer(text),
  volumeMode: pointer(text),
  dataSource: pointerTo({ apiGroup: always(pointer(text)), kind: always(text), name: always(text) }),
  dataSourceRef: pointerTo({
    apiGroup: always(pointer(text)),
    kind: always(text),
    name: always(text),
    namespace: pointer(text),
  }),
  volumeAttributesClassName: pointer(text),
});

const csiVolumeSource = struct({
  driver: always(text),
  readOnly: pointer(flag),
  fsType: pointer(text),
  volumeAttributes: map(text),
  nodePublishSecretRef: pointer(localObjectReference),
});

const keyToPath = struct({ key: always(text), path: always(text), mode: pointer(int32) });

/** ConfigMapProjection and SecretProjection. */
const projection = struct({ name: text, items: list(keyToPath), optional: pointer(flag) });

const configMapVolumeSource = struct({
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

const emptyDirVolumeSource = struct({ medium: text, sizeLimit: pointer(quantity) });

const persistentVolumeClaimVolumeSource = struct({ claimName: always(text), readOnly: flag });

const projectedVolumeSource = struct({
  sources: always(
    list(
      struct({
        secret: pointer(projection),
        downwardAPI: pointerTo({ items: list(downwardAPIVolumeFile) }),
        configMap: pointer(projection),
        serviceAccountToken: pointerTo({
          audience: text,
          expirationSeconds: pointer(int64),
          path: always(text),
        }),
        clusterTrustBundle: pointerTo({
          name: pointer(text),
          signerName: pointer(text),
          labelSelector: pointer(labelSelector),
          optional: pointer(flag),
          path: always(text),
        }),
        podCertificate: pointerTo({
          signerName: text,
          keyType: text,
          maxExpirationSeconds: pointer(int32),
          credentialBundlePath: text,
          keyPath: text,
          certificateChainPath: text,
          userAnnotations: map(text),
        }),
      }),
    ),
  ),
  defaultMode: pointer(int32),
});

const secretVolumeSource = struct({
  secretName: text,
  items: list(keyToPath),
  defaultMode: pointer(int32),
  optional: pointer(flag),
});

/** The structure `Volume` of core/v1. */
export const volume = struct({
  name: always(text),
  hostPath: pointerTo({ path: always(text), type: pointer(text) }),
  emptyDir: pointer(emptyDirVolumeSource),
  gcePersistentDisk: pointerTo({ pdName: always(text), fsType: text, partition: int32, readOnly: flag }),
  awsElasticBlockStore: pointerTo({ volumeID: always(text), fsType: text, partition: int32, readOnly: flag }),
  gitRepo: pointerTo({ repository: always(text), revision: text, directory: text }),
  secret: pointer(secretVolumeSource),
  nfs: pointerTo({ server: always(text), path: always(text), readOnly: flag }),
  iscsi: pointerTo({
    targetPortal: always(text),
    iqn: always(text),
    lun: always(int32),
    iscsiInterface: text,
    fsType: text,
    readOnly: flag,
    portals: list(text),
    chapAuthDiscovery: flag,
    chapAuthSession: flag,
    secretRef: pointer(localObjectReference),
    initiatorName: pointer(text),
  }),
  glusterfs: pointerTo({ endpoints: always(text), path: always(text), readOnly: flag }),
  persistentVolumeClaim: pointer(persistentVolumeClaimVolumeSource),
  rbd: pointerTo({
    monitors: always(list(text)),
    image: always(text),
    fsType: text,
    pool: text,
    user: text,
    keyring: text,
    secretRef: pointer(localObjectReference),
    readOnly: flag,
  }),
  flexVolume: pointerTo({
    driver: always(text),
    fsType: text,
    secretRef: pointer(localObjectReference),
    readOnly: flag,
    options: map(text),
  }),
  cinder: pointerTo({
    volumeID: always(text),
    fsType: text,
    readOnly: flag,
    secretRef: pointer(localObjectReference),
  }),
  cephfs: pointerTo({
    monitors: always(list(text)),
    path: text,
    user: text,
    secretFile: text,
    secretRef: pointer(localObjectReference),
    readOnly: flag,
  }),
  flocker: pointerTo({ datasetName: text, datasetUUID: text }),
  downwardAPI: pointerTo({ items: list(downwardAPIVolumeFile), defaultMode: pointer(int32) }),
  fc: pointerTo({
    targetWWNs: list(text),
    lun: pointer(int32),
    fsType: text,
    readOnly: flag,
    wwids: list(text),
  }),
  azureFile: pointerTo({ secretName: always(text), shareName: always(text), readOnly: flag }),
  configMap: pointer(configMapVolumeSource),
  vsphereVolume: pointerTo({
    volumePath: always(text),
    fsType: text,
    storagePolicyName: text,
    storagePolicyID: text,
  }),
  quobyte: pointerTo({
    registry: always(text),
    volume: always(text),
    readOnly: flag,
    user: text,
    group: text,
    tenant: text,
  }),
  azureDisk: pointerTo({
    diskName: always(text),
    diskURI: always(text),
    cachingMode: pointer(text),
    fsType: pointer(text),
    readOnly: pointer(flag),
    kind: pointer(text),
  }),
  photonPersistentDisk: pointerTo({ pdID: always(text), fsType: text }),
  projected: pointer(projectedVolumeSource),
  portworxVolume: pointerTo({ volumeID: always(text), fsType: text, readOnly: flag }),
  scaleIO: pointerTo({
    gateway: always(text),
    system: always(text),
    secretRef: always(pointer(localObjectReference)),
    sslEnabled: flag,
    protectionDomain: text,
    storagePool: text,
    storageMode: text,
    volumeName: text,
    fsType: text,
    readOnly: flag,
  }),
  storageos: pointerTo({
    volumeName: text,
    volumeNamespace: text,
    fsType: text,
    readOnly: flag,
    secretRef: pointer(localObjectReference),
  }),
  csi: pointer(csiVolumeSource),
  ephemeral: pointerTo({
    volumeClaimTemplate: pointerTo({ metadata: objectMeta, spec: always(claimSpec) }),
  }),
  image: pointerTo({ reference: text, pullPolicy: text }),
});

/** The structure `WorkspaceBinding` of tekton.dev/v1. */
export const workspaceBinding = struct({
  name: always(text),
  subPath: text,
  volumeClaimTemplate: pointerTo({
    kind: text,
    apiVersion: text,
    metadata: objectMeta,
    spec: claimSpec,
    status: struct({
      phase: text,
      accessModes: list(text),
      capacity: map(quantity),
      conditions: list(
        struct({
          type: always(text),
          status: always(text),
          lastProbeTime: time,
          lastTransitionTime: time,
          reason: text,
          message: text,
        }),
      ),
      allocatedResources: map(quantity),
      allocatedResourceStatuses: map(text),
      currentVolumeAttributesClassName: pointer(text),
      modifyVolumeStatus: pointerTo({ targetVolumeAttributesClassName: text, status: always(text) }),
    }),
  }),
  persistentVolumeClaim: pointer(persistentVolumeClaimVolumeSource),
  emptyDir: pointer(emptyDirVolumeSource),
  configMap: pointer(configMapVolumeSource),
  secret: pointer(secretVolumeSource),
  projected: pointer(projectedVolumeSource),
  csi: pointer(csiVolumeSource),
});
