import { always, flag, int32, list, map, pointer, struct, text } from '../shape.ts';
import { localObjectReference } from './containers.ts';
import {
  configMapVolumeSource,
  csiVolumeSource,
  downwardAPIVolumeSource,
  emptyDirVolumeSource,
  ephemeralVolumeSource,
  hostPathVolumeSource,
  imageVolumeSource,
  persistentVolumeClaimVolumeSource,
  projectedVolumeSource,
  secretVolumeSource,
} from './files.ts';

const awsElasticBlockStoreVolumeSource = struct({
  volumeID: always(text),
  fsType: text,
  partition: int32,
  readOnly: flag,
});

const azureDiskVolumeSource = struct({
  diskName: always(text),
  diskURI: always(text),
  cachingMode: pointer(text),
  fsType: pointer(text),
  readOnly: pointer(flag),
  kind: pointer(text),
});

const azureFileVolumeSource = struct({ secretName: always(text), shareName: always(text), readOnly: flag });

const cephFSVolumeSource = struct({
  monitors: always(list(text)),
  path: text,
  user: text,
  secretFile: text,
  secretRef: pointer(localObjectReference),
  readOnly: flag,
});

const cinderVolumeSource = struct({
  volumeID: always(text),
  fsType: text,
  readOnly: flag,
  secretRef: pointer(localObjectReference),
});

const fcVolumeSource = struct({
  targetWWNs: list(text),
  lun: pointer(int32),
  fsType: text,
  readOnly: flag,
  wwids: list(text),
});

const flexVolumeSource = struct({
  driver: always(text),
  fsType: text,
  secretRef: pointer(localObjectReference),
  readOnly: flag,
  options: map(text),
});

const flockerVolumeSource = struct({ datasetName: text, datasetUUID: text });

const gcePersistentDiskVolumeSource = struct({
  pdName: always(text),
  fsType: text,
  partition: int32,
  readOnly: flag,
});

const gitRepoVolumeSource = struct({ repository: always(text), revision: text, directory: text });

const glusterfsVolumeSource = struct({ endpoints: always(text), path: always(text), readOnly: flag });

const iscsiVolumeSource = struct({
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
});

const nfsVolumeSource = struct({ server: always(text), path: always(text), readOnly: flag });

const photonPersistentDiskVolumeSource = struct({ pdID: always(text), fsType: text });

const portworxVolumeSource = struct({ volumeID: always(text), fsType: text, readOnly: flag });

const quobyteVolumeSource = struct({
  registry: always(text),
  volume: always(text),
  readOnly: flag,
  user: text,
  group: text,
  tenant: text,
});

const rbdVolumeSource = struct({
  monitors: always(list(text)),
  image: always(text),
  fsType: text,
  pool: text,
  user: text,
  keyring: text,
  secretRef: pointer(localObjectReference),
  readOnly: flag,
});

const scaleIOVolumeSource = struct({
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
});

const storageOSVolumeSource = struct({
  volumeName: text,
  volumeNamespace: text,
  fsType: text,
  readOnly: flag,
  secretRef: pointer(localObjectReference),
});

const vsphereVirtualDiskVolumeSource = struct({
  volumePath: always(text),
  fsType: text,
  storagePolicyName: text,
  storagePolicyID: text,
});

/** The structure `Volume` of core/v1. */
export const volume = struct({
  name: always(text),
  hostPath: pointer(hostPathVolumeSource),
  emptyDir: pointer(emptyDirVolumeSource),
  gcePersistentDisk: pointer(gcePersistentDiskVolumeSource),
  awsElasticBlockStore: pointer(awsElasticBlockStoreVolumeSource),
  gitRepo: pointer(gitRepoVolumeSource),
  secret: pointer(secretVolumeSource),
  nfs: pointer(nfsVolumeSource),
  iscsi: pointer(iscsiVolumeSource),
  glusterfs: pointer(glusterfsVolumeSource),
  persistentVolumeClaim: pointer(persistentVolumeClaimVolumeSource),
  rbd: pointer(rbdVolumeSource),
  flexVolume: pointer(flexVolumeSource),
  cinder: pointer(cinderVolumeSource),
  cephfs: pointer(cephFSVolumeSource),
  flocker: pointer(flockerVolumeSource),
  downwardAPI: pointer(downwardAPIVolumeSource),
  fc: pointer(fcVolumeSource),
  azureFile: pointer(azureFileVolumeSource),
  configMap: pointer(configMapVolumeSource),
  vsphereVolume: pointer(vsphereVirtualDiskVolumeSource),
  quobyte: pointer(quobyteVolumeSource),
  azureDisk: pointer(azureDiskVolumeSource),
  photonPersistentDisk: pointer(photonPersistentDiskVolumeSource),
  projected: pointer(projectedVolumeSource),
  portworxVolume: pointer(portworxVolumeSource),
  scaleIO: pointer(scaleIOVolumeSource),
  storageos: pointer(storageOSVolumeSource),
  csi: pointer(csiVolumeSource),
  ephemeral: pointer(ephemeralVolumeSource),
  image: pointer(imageVolumeSource),
});
