import { persistentVolumeClaim } from './core/claims.ts';
import {
  configMapVolumeSource,
  csiVolumeSource,
  emptyDirVolumeSource,
  persistentVolumeClaimVolumeSource,
  projectedVolumeSource,
  secretVolumeSource,
} from './core/files.ts';
import { always, flag, pointer, struct, text } from './shape.ts';

/** The structure `PipelineWorkspaceDeclaration` of tekton.dev/v1. */
export const pipelineWorkspaceDeclaration = struct({ name: always(text), description: text, optional: flag });

/** The structure `WorkspaceBinding` of tekton.dev/v1. */
export const workspaceBinding = struct({
  name: always(text),
  subPath: text,
  volumeClaimTemplate: pointer(persistentVolumeClaim),
  persistentVolumeClaim: pointer(persistentVolumeClaimVolumeSource),
  emptyDir: pointer(emptyDirVolumeSource),
  configMap: pointer(configMapVolumeSource),
  secret: pointer(secretVolumeSource),
  projected: pointer(projectedVolumeSource),
  csi: pointer(csiVolumeSource),
});

/** The structure `WorkspaceDeclaration` of tekton.dev/v1. */
export const workspaceDeclaration = struct({
  name: always(text),
  description: text,
  mountPath: text,
  readOnly: flag,
  optional: flag,
});

/** The structure `WorkspacePipelineTaskBinding` of tekton.dev/v1. */
export const workspacePipelineTaskBinding = struct({ name: always(text), workspace: text, subPath: text });

/** The structure `WorkspaceUsage` of tekton.dev/v1. */
export const workspaceUsage = struct({ name: always(text), mountPath: always(text) });
