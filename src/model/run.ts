import { ChainsError } from '../errors.ts';
import { at, isJsonList, isJsonObject, type Json, type JsonObject, member } from '../json.ts';

/** The kinds of the API group `tekton.dev` that are watched and signed. */
export type RunKind = 'TaskRun' | 'PipelineRun';

/** Whether a run is done: its condition `Succeeded` is `True` or `False` (behaviour.md, "A run's life"). */
export type RunProgress =
  | { readonly state: 'unfinished' }
  | { readonly state: 'done'; readonly succeeded: boolean }
  | { readonly state: 'unreadable'; readonly message: string };

/** A TaskRun or PipelineRun: what decisions need, parsed once, and the whole object. */
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
  /** When its deletion was requested. */
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
 * Reads an object as a run. Only what every decision needs is read here; the stage that makes a payload reads the rest, so
 * that a run with a malformed status can still be marked.
 * @throws ChainsError RUN_UNREADABLE when the object is not a TaskRun or PipelineRun of tekton.dev, or its metadata is malformed.
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
  const textAt = (key: string) => text(member(metadata, key), `metadata.${key}`);
  return {
    kind,
    apiVersion,
    deletedAt: time(textAt('deletionTimestamp')),
    namespace: textAt('namespace'),
    name: textAt('name'),
    uid: textAt('uid'),
    resourceVersion: textAt('resourceVersion'),
    labels: textMap(metadata, 'labels'),
    annotations: textMap(metadata, 'annotations'),
    finalizers: textList(metadata, 'finalizers'),
    managedBy: managedBy(value),
    progress: progressOf(value),
    completedAt: time(at(value, 'status', 'completionTime')),
    object: value,
  };
}

function unreadable(where: string, message: string): ChainsError {
  return new ChainsError('RUN_UNREADABLE', `${where} ${message}`);
}

function text(value: Json | undefined, where: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw unreadable(where, 'is not a string');
  return value;
}

function textMap(metadata: Json | undefined, key: string): Readonly<Record<string, string>> {
  const value = member(metadata, key) ?? {};
  if (!isJsonObject(value)) throw unreadable(`metadata.${key}`, 'is not an object');
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, text(entry, `metadata.${key}.${name}`)]),
  );
}

function textList(metadata: Json | undefined, key: string): readonly string[] {
  const value = member(metadata, key) ?? [];
  if (!isJsonList(value)) throw unreadable(`metadata.${key}`, 'is not a list of strings');
  return value.map((entry, index) => text(entry, `metadata.${key}[${index}]`));
}

/** A `managedBy` that is not a string can't be ours. */
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
  if (!isJsonObject(status)) return { state: 'unreadable', message: 'status is not an object' };
  const conditions = member(status, 'conditions') ?? [];
  if (!isJsonList(conditions)) return { state: 'unreadable', message: 'status.conditions is not a list' };
  const index = conditions.findIndex((condition) => member(condition, 'type') === 'Succeeded');
  const value = member(conditions[index], 'status') ?? '';
  if (typeof value !== 'string')
    return { state: 'unreadable', message: `status.conditions[${index}].status is not a string` };
  if (value !== 'True' && value !== 'False') return { state: 'unfinished' };
  return { state: 'done', succeeded: value === 'True' };
}
