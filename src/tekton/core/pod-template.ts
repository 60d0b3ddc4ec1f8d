import { labelSelector } from '../meta.ts';
import { always, flag, int32, int64, list, map, pointer, pointerTo, struct, text } from '../shape.ts';
import { envVar, localObjectReference, podSecurityContext } from './containers.ts';
import { volume } from './volumes.ts';

const nodeSelectorRequirement = struct({ key: always(text), operator: always(text), values: list(text) });

const nodeSelectorTerm = struct({
  matchExpressions: list(nodeSelectorRequirement),
  matchFields: list(nodeSelectorRequirement),
});

const podAffinityTerm = struct({
  labelSelector: pointer(labelSelector),
  namespaces: list(text),
  topologyKey: always(text),
  namespaceSelector: pointer(labelSelector),
  matchLabelKeys: list(text),
  mismatchLabelKeys: list(text),
});

/** PodAffinity and PodAntiAffinity. */
const podAffinity = struct({
  requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTerm),
  preferredDuringSchedulingIgnoredDuringExecution: list(
    struct({ weight: always(int32), podAffinityTerm: always(podAffinityTerm) }),
  ),
});

/** The structure `Template` of Tekton's pod. */
export const podTemplate = struct({
  nodeSelector: map(text),
  env: list(envVar),
  tolerations: list(
    struct({ key: text, operator: text, value: text, effect: text, tolerationSeconds: pointer(int64) }),
  ),
  affinity: pointerTo({
    nodeAffinity: pointerTo({
      requiredDuringSchedulingIgnoredDuringExecution: pointerTo({
        nodeSelectorTerms: always(list(nodeSelectorTerm)),
      }),
      preferredDuringSchedulingIgnoredDuringExecution: list(
        struct({ weight: always(int32), preference: always(nodeSelectorTerm) }),
      ),
    }),
    podAffinity: pointer(podAffinity),
    podAntiAffinity: pointer(podAffinity),
  }),
  securityContext: pointer(podSecurityContext),
  volumes: list(volume),
  runtimeClassName: pointer(text),
  automountServiceAccountToken: pointer(flag),
  dnsPolicy: pointer(text),
  dnsConfig: pointerTo({
    nameservers: list(text),
    searches: list(text),
    options: list(struct({ name: text, value: pointer(text) })),
  }),
  enableServiceLinks: pointer(flag),
  priorityClassName: pointer(text),
  schedulerName: text,
  imagePullSecrets: list(localObjectReference),
  hostAliases: list(struct({ ip: always(text), hostnames: list(text) })),
  hostNetwork: flag,
  hostUsers: pointer(flag),
  topologySpreadConstraints: list(
    struct({
      maxSkew: always(int32),
      topologyKey: always(text),
      whenUnsatisfiable: always(text),
      labelSelector: pointer(labelSelector),
      minDomains: pointer(int32),
      nodeAffinityPolicy: pointer(text),
      nodeTaintsPolicy: pointer(text),
      matchLabelKeys: list(text),
    }),
  ),
});
