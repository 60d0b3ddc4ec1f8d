import { labelSelector } from '../meta.ts';
import { always, int32, int64, list, pointer, struct, text } from '../shape.ts';

const nodeSelectorRequirement = struct({ key: always(text), operator: always(text), values: list(text) });

const nodeSelectorTerm = struct({
  matchExpressions: list(nodeSelectorRequirement),
  matchFields: list(nodeSelectorRequirement),
});

const nodeSelector = struct({ nodeSelectorTerms: always(list(nodeSelectorTerm)) });

const preferredSchedulingTerm = struct({ weight: always(int32), preference: always(nodeSelectorTerm) });

const nodeAffinity = struct({
  requiredDuringSchedulingIgnoredDuringExecution: pointer(nodeSelector),
  preferredDuringSchedulingIgnoredDuringExecution: list(preferredSchedulingTerm),
});

const podAffinityTerm = struct({
  labelSelector: pointer(labelSelector),
  namespaces: list(text),
  topologyKey: always(text),
  namespaceSelector: pointer(labelSelector),
  matchLabelKeys: list(text),
  mismatchLabelKeys: list(text),
});

const weightedPodAffinityTerm = struct({ weight: always(int32), podAffinityTerm: always(podAffinityTerm) });

/** PodAffinity and PodAntiAffinity. */
const podAffinity = struct({
  requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTerm),
  preferredDuringSchedulingIgnoredDuringExecution: list(weightedPodAffinityTerm),
});

/** The structure `Affinity` of core/v1. */
export const affinity = struct({
  nodeAffinity: pointer(nodeAffinity),
  podAffinity: pointer(podAffinity),
  podAntiAffinity: pointer(podAffinity),
});

/** The structure `Toleration` of core/v1. */
export const toleration = struct({
  key: text,
  operator: text,
  value: text,
  effect: text,
  tolerationSeconds: pointer(int64),
});

/** The structure `TopologySpreadConstraint` of core/v1. */
export const topologySpreadConstraint = struct({
  maxSkew: always(int32),
  topologyKey: always(text),
  whenUnsatisfiable: always(text),
  labelSelector: pointer(labelSelector),
  minDomains: pointer(int32),
  nodeAffinityPolicy: pointer(text),
  nodeTaintsPolicy: pointer(text),
  matchLabelKeys: list(text),
});
