import { ChainsError } from '../errors.ts';
import { at, isJsonList, isJsonObject, type Json, type JsonObject, member } from '../json.ts';

/** The kinds that are watched and signed, all of the API group `tekton.dev`. */
export type RunKind = 'TaskRun' | 'PipelineRun';

/** How far a run is. Done means that the `Succeeded` condition is `True` or `False` (behaviour.md, "A run's life"). */
export type RunProgress =
  | { readonly state: 'unfinished' }
  | { readonly state: 'done'; readonly succeeded: boolean }
  | { readonly state: 'unreadable'; readonly at: string; readonly message: string };

/** A TaskRun or PipelineRun: what decisions need, parsed once, and the object as it came. */
export interface Run {
  readonly kind: RunKind;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  /** When deletion was asked for. */
  readonly deletedAt: Date | undefined;
  /** `spec.managedBy`; empty is undefined. */
  readonly managedBy: string | undefined;
  readonly progress: RunProgress;
  readonly completedAt: Date | undefined;
  /** The object as the API server or the file gave it. */
  readonly object: JsonObject;
}

/** `namespace/name`, or just the name where there is no namespace. */
export function runName(run: Pick<Run, 'namespace' | 'name'>): string {
  return run.namespace === '' ? run.name : `${run.namespace}/${run.name}`;
}

/**
 * Reads an object as a run. Only what every decision needs is read here; what a payload needs is read by the stage
 * that makes it, so that a run with an odd status can still be marked.
 * @throws ChainsError RUN_UNREADABLE when the object is not a TaskRun or PipelineRun of tekton.dev, or its metadata is broken.
 */
export function parseRun(value: unknown): Run {
  if (!isJsonObject(value)) throw unreadable('the document', 'is not an object');
  const kind = member(value, 'kind');
  const apiVersion = member(value, 'apiVersion');
  if (kind !== 'TaskRun' && kind !== 'PipelineRun')
    throw unreadable('kind', 'is neither TaskRun nor PipelineRun');
  if (apiVersion !== 'tekton.dev/v1' && apiVersion !== 'tekton.dev/v1beta1') {
    throw unreadable('apiVersion', 'is neither tekton.dev/v1 nor tekton.dev/v1beta1');
  }
  const metadata = member(value, 'metadata');
  const deletedAt = text(metadata, 'deletionTimestamp', 'metadata');
  return {
    kind,
    apiVersion,
    namespace: text(metadata, 'namespace', 'metadata'),
    name: text(metadata, 'name', 'metadata'),
    uid: text(metadata, 'uid', 'metadata'),
    resourceVersion: text(metadata, 'resourceVersion', 'metadata'),
    labels: textMap(metadata, 'labels'),
    annotations: textMap(metadata, 'annotations'),
    finalizers: textList(metadata, 'finalizers'),
    deletedAt: deletedAt === '' ? undefined : time(deletedAt),
    managedBy: managedBy(value),
    progress: progressOf(value),
    completedAt: time(at(value, 'status', 'completionTime')),
    object: value,
  };
}

function unreadable(where: string, message: string): ChainsError {
  return new ChainsError('RUN_UNREADABLE', `${where} ${message}`);
}

function text(parent: Json | undefined, key: string, where: string): string {
  const value = member(parent, key) ?? '';
  if (typeof value !== 'string') throw unreadable(`${where}.${key}`, 'is not a string');
  return value;
}

function textMap(metadata: Json | undefined, key: string): Readonly<Record<string, string>> {
  const value = member(metadata, key) ?? {};
  if (!isJsonObject(value)) throw unreadable(`metadata.${key}`, 'is not an object');
  const entries = Object.entries(value).map(([name, entry]) => {
    if (entry !== null && typeof entry !== 'string')
      throw unreadable(`metadata.${key}.${name}`, 'is not a string');
    return [name, entry ?? ''] as const;
  });
  return Object.fromEntries(entries);
}

function textList(metadata: Json | undefined, key: string): readonly string[] {
  const value = member(metadata, key) ?? [];
  if (!isJsonList(value)) throw unreadable(`metadata.${key}`, 'is not a list of strings');
  return value.map((entry, index) => {
    if (entry !== null && typeof entry !== 'string')
      throw unreadable(`metadata.${key}[${index}]`, 'is not a string');
    return entry ?? '';
  });
}

/** A `managedBy` that is not a string names no controller that we could be. */
function managedBy(object: JsonObject): string | undefined {
  const value = at(object, 'spec', 'managedBy');
  if (typeof value === 'string') return value === '' ? undefined : value;
  return value === undefined || value === null ? undefined : 'a value that is not a string';
}

function time(value: Json | undefined): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function progressOf(object: JsonObject): RunProgress {
  const status = member(object, 'status') ?? undefined;
  if (status === undefined) return { state: 'unfinished' };
  if (!isJsonObject(status)) return { state: 'unreadable', at: 'status', message: 'status is not an object' };
  const conditions = member(status, 'conditions') ?? [];
  if (!isJsonList(conditions)) {
    return { state: 'unreadable', at: 'status.conditions', message: 'status.conditions is not a list' };
  }
  const succeeded = conditions.find((condition) => member(condition, 'type') === 'Succeeded');
  const value = member(succeeded, 'status');
  if (value !== undefined && value !== null && typeof value !== 'string') {
    const where = `status.conditions[${conditions.findIndex((condition) => condition === succeeded)}].status`;
    return { state: 'unreadable', at: where, message: `${where} is not a string` };
  }
  if (value !== 'True' && value !== 'False') return { state: 'unfinished' };
  return { state: 'done', succeeded: value === 'True' };
}
