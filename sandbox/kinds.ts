import { installedKinds } from './installed-kinds.ts';
import type { Kind } from './kind.ts';
import { at, type Json, type JsonObject } from '../src/json.ts';
import { ageColumn, type Column, dateColumn, nameColumn, textColumn } from './columns.ts';
import { listOf } from './values.ts';

export type { Kind } from './kind.ts';

const run = {
  ...{
    group: 'tekton.dev',
    versions: ['v1', 'v1beta1'],
    namespaced: true,
    custom: true,
    createdByPut: false,
  },
  fields: [],
  columns: [
    nameColumn,
    { name: 'Succeeded', cell: (object: JsonObject) => at(succeeded(object), 'status') ?? null },
    { name: 'Reason', cell: (object: JsonObject) => at(succeeded(object), 'reason') ?? null },
    dateColumn('StartTime', 'status', 'startTime'),
    dateColumn('CompletionTime', 'status', 'completionTime'),
  ],
};
const core = {
  group: '',
  versions: ['v1'],
  shortNames: [],
  namespaced: true,
  custom: false,
  createdByPut: false,
};

function succeeded(object: JsonObject): Json | undefined {
  return listOf(at(object, 'status', 'conditions')).find((entry) => at(entry, 'type') === 'Succeeded');
}

const sizeColumn: Column = {
  name: 'Data',
  cell: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
};

/** Namespaces. */
export const namespaceKind: Kind = {
  ...{ ...core, kind: 'Namespace', plural: 'namespaces', shortNames: ['ns'], namespaced: false },
  fields: ['spec', 'status'],
  columns: [nameColumn, textColumn('Status', 'status', 'phase'), ageColumn],
};

/** Every kind that is served. */
export const kinds: readonly Kind[] = [
  namespaceKind,
  { ...run, kind: 'TaskRun', plural: 'taskruns', shortNames: ['tr', 'trs'] },
  { ...run, kind: 'PipelineRun', plural: 'pipelineruns', shortNames: ['pr', 'prs'] },
  {
    ...{ ...core, kind: 'ConfigMap', plural: 'configmaps', shortNames: ['cm'] },
    fields: ['data', 'binaryData', 'immutable'],
    columns: [nameColumn, sizeColumn, ageColumn],
  },
  {
    ...{ ...core, kind: 'Secret', plural: 'secrets' },
    fields: ['data', 'stringData', 'type', 'immutable'],
    columns: [nameColumn, textColumn('Type', 'type'), sizeColumn, ageColumn],
  },
  {
    ...{ ...core, kind: 'ServiceAccount', plural: 'serviceaccounts', shortNames: ['sa'] },
    fields: ['secrets', 'imagePullSecrets', 'automountServiceAccountToken'],
    columns: [nameColumn, ageColumn],
  },
  {
    ...{ ...core, kind: 'Event', plural: 'events', shortNames: ['ev'], createdByPut: true },
    fields: [
      ...[
        'involvedObject',
        'reason',
        'message',
        'source',
        'firstTimestamp',
        'lastTimestamp',
        'count',
        'type',
      ],
      ...['eventTime', 'series', 'action', 'related', 'reportingComponent', 'reportingInstance'],
    ],
    columns: [
      dateColumn('Last Seen', 'lastTimestamp'),
      textColumn('Type', 'type'),
      textColumn('Reason', 'reason'),
      {
        name: 'Object',
        cell: ({ involvedObject }) =>
          `${String(at(involvedObject, 'kind')).toLowerCase()}/${String(at(involvedObject, 'name'))}`,
      },
      textColumn('Message', 'message'),
    ],
  },
  {
    ...{ ...core, kind: 'Lease', plural: 'leases', group: 'coordination.k8s.io', createdByPut: true },
    fields: ['spec'],
    columns: [nameColumn, textColumn('Holder', 'spec', 'holderIdentity'), ageColumn],
  },
  ...installedKinds,
];

/** `tekton.dev/v1`, or `v1` in the core group. */
export function apiVersionOf(kind: Kind, version: string): string {
  return kind.group === '' ? version : `${kind.group}/${version}`;
}

/** `taskruns.tekton.dev`, or `secrets` in the core group: how messages name a resource. */
export function qualified(kind: Kind): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}
