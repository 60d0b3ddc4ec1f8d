import { rawJson } from './value.ts';
import { always, flag, int64, list, map, type Of, pointer, struct, text } from './shape.ts';
import { optionalTime, time } from './time.ts';

/** The structure `LabelSelector` of meta/v1. */
export const labelSelector = struct({
  matchLabels: map(text),
  matchExpressions: list(struct({ key: always(text), operator: always(text), values: list(text) })),
});

/** The structure `ObjectMeta` of meta/v1. */
export const objectMeta = struct({
  name: text,
  generateName: text,
  namespace: text,
  selfLink: text,
  uid: text,
  resourceVersion: text,
  generation: int64,
  creationTimestamp: optionalTime,
  deletionTimestamp: pointer(time),
  deletionGracePeriodSeconds: pointer(int64),
  labels: map(text),
  annotations: map(text),
  ownerReferences: list(
    struct({
      apiVersion: always(text),
      kind: always(text),
      name: always(text),
      uid: always(text),
      controller: pointer(flag),
      blockOwnerDeletion: pointer(flag),
    }),
  ),
  finalizers: list(text),
  managedFields: list(
    struct({
      manager: text,
      operation: text,
      apiVersion: text,
      time: pointer(time),
      fieldsType: text,
      fieldsV1: pointer(rawJson),
      subresource: text,
    }),
  ),
});

/** What objectMeta reads. */
export type ObjectMeta = Of<typeof objectMeta>;
