import { always, flag, list, map, pointer, struct, text } from '../shape.ts';
import { envVar, localObjectReference } from './containers.ts';
import { affinity, toleration, topologySpreadConstraint } from './scheduling.ts';
import { podSecurityContext } from './security.ts';
import { volume } from './volumes.ts';

const hostAlias = struct({ ip: always(text), hostnames: list(text) });

const podDNSConfigOption = struct({ name: text, value: pointer(text) });

const podDNSConfig = struct({
  nameservers: list(text),
  searches: list(text),
  options: list(podDNSConfigOption),
});

/** The structure `Template` of Tekton's pod. */
export const podTemplate = struct({
  nodeSelector: map(text),
  env: list(envVar),
  tolerations: list(toleration),
  affinity: pointer(affinity),
  securityContext: pointer(podSecurityContext),
  volumes: list(volume),
  runtimeClassName: pointer(text),
  automountServiceAccountToken: pointer(flag),
  dnsPolicy: pointer(text),
  dnsConfig: pointer(podDNSConfig),
  enableServiceLinks: pointer(flag),
  priorityClassName: pointer(text),
  schedulerName: text,
  imagePullSecrets: list(localObjectReference),
  hostAliases: list(hostAlias),
  hostNetwork: flag,
  hostUsers: pointer(flag),
  topologySpreadConstraints: list(topologySpreadConstraint),
});
