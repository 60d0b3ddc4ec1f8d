import { always, flag, int64, list, pointer, struct, text } from '../shape.ts';

const appArmorProfile = struct({ type: always(text), localhostProfile: pointer(text) });

const capabilities = struct({ add: list(text), drop: list(text) });

const seLinuxOptions = struct({ user: text, role: text, type: text, level: text });

const windowsSecurityContextOptions = struct({
  gmsaCredentialSpecName: pointer(text),
  gmsaCredentialSpec: pointer(text),
  runAsUserName: pointer(text),
  hostProcess: pointer(flag),
});

const sysctl = struct({ name: always(text), value: always(text) });

const seccompProfile = struct({ type: always(text), localhostProfile: pointer(text) });

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
  sysctls: list(sysctl),
  fsGroupChangePolicy: pointer(text),
  seccompProfile: pointer(seccompProfile),
  appArmorProfile: pointer(appArmorProfile),
  seLinuxChangePolicy: pointer(text),
});

/** The structure `SecurityContext` of core/v1. */
export const securityContext = struct({
  capabilities: pointer(capabilities),
  privileged: pointer(flag),
  seLinuxOptions: pointer(seLinuxOptions),
  windowsOptions: pointer(windowsSecurityContextOptions),
  runAsUser: pointer(int64),
  runAsGroup: pointer(int64),
  runAsNonRoot: pointer(flag),
  readOnlyRootFilesystem: pointer(flag),
  allowPrivilegeEscalation: pointer(flag),
  procMount: pointer(text),
  seccompProfile: pointer(seccompProfile),
  appArmorProfile: pointer(appArmorProfile),
});
