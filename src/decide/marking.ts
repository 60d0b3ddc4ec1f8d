import { at, type JsonObject, listAt } from '../json.ts';
import {
  type EndState,
  finalizers,
  messageMark,
  ourFinalizers,
  retriesMark,
  signedMark,
  signedUidMark,
} from '../model/marks.ts';
import type { Run } from '../model/run.ts';
import { oneLine } from '../text.ts';

/** Longest message on a run, in characters; annotations share 256 KiB. */
const longestMessage = 1_024;

/** What one apply sets on a run. It sets all fields that we own: one that is left out is removed. */
interface StatedMarks {
  readonly finalizer: boolean;
  readonly annotations: Readonly<Record<string, string>>;
  readonly label?: string | undefined;
}

/** Puts our finalizer on a run, and empties the mark that it inherited from another run. */
export function holdStatement(run: Run): JsonObject {
  const inherited = signedMark in run.annotations || signedMark in run.labels;
  return statement(run, {
    finalizer: true,
    annotations: inherited ? { [signedMark]: '' } : {},
    label: inherited ? '' : undefined,
  });
}

/** Records that a run could not be signed yet, and holds it until it is. */
export function retryStatement(run: Run, attempts: number, message: string): JsonObject {
  return statement(run, {
    // The API server refuses a new finalizer on a run that is being deleted.
    finalizer: run.deletedAt === undefined || run.finalizers.includes(finalizers[run.kind]),
    annotations: { ...messageAnnotation(message), [retriesMark]: String(attempts) },
  });
}

/** How a run ended. */
export interface End {
  readonly state: EndState;
  readonly message: string;
  /** Failed attempts before. */
  readonly failures: number;
  /** What the stores keep on the run. */
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The mark. It also releases the run, unless the run is being deleted: then the run would be gone before anyone saw the
 * mark, so the finalizer stays. The label is then written by the release, so that the controller, which lists runs without
 * it, finds this run again after a restart.
 */
export function endStatement(run: Run, { state, message, failures, annotations }: End): JsonObject {
  const held = run.deletedAt !== undefined && ourFinalizers(run).length > 0;
  return statement(run, {
    finalizer: held && run.finalizers.includes(finalizers[run.kind]),
    annotations: {
      ...annotations,
      [signedMark]: state,
      [signedUidMark]: run.uid,
      ...messageAnnotation(message),
      ...(failures > 0 ? { [retriesMark]: String(failures) } : {}),
    },
    label: held ? undefined : state,
  });
}

/**
 * A merge patch that removes these finalizers, whoever put them there, and writes the label where there is an end state. It
 * is refused if the run has changed.
 */
export function releasePatch(run: Run, names: readonly string[], state?: EndState): JsonObject {
  return {
    metadata: {
      uid: run.uid,
      resourceVersion: run.resourceVersion,
      finalizers: run.finalizers.filter((name) => !names.includes(name)),
      ...(state === undefined ? {} : { labels: { [signedMark]: state } }),
    },
  };
}

/** The run after a write, with the metadata that the API server answered. */
export function afterWrite(run: Run, answer: JsonObject): Run {
  const resourceVersion = at(answer, 'metadata', 'resourceVersion');
  return {
    ...run,
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : run.resourceVersion,
    finalizers: listAt(answer, 'metadata', 'finalizers').filter((name) => typeof name === 'string'),
  };
}

/** One line, visible and bounded. */
export function messageOf(parts: readonly string[]): string {
  return oneLine(parts.join('; '), longestMessage - 1);
}

/** The name and namespace of a run. */
export function objectName({ namespace, name }: Run): Pick<Run, 'namespace' | 'name'> {
  return { namespace, name };
}

function messageAnnotation(message: string): Readonly<Record<string, string>> {
  return message === '' ? {} : { [messageMark]: message };
}

function statement(run: Run, { finalizer, annotations, label }: StatedMarks): JsonObject {
  return {
    apiVersion: run.apiVersion,
    kind: run.kind,
    metadata: {
      name: run.name,
      namespace: run.namespace,
      uid: run.uid,
      // The write fails if the run has changed, so that no run is signed twice.
      resourceVersion: run.resourceVersion,
      ...(finalizer ? { finalizers: [finalizers[run.kind]] } : {}),
      ...(label === undefined ? {} : { labels: { [signedMark]: label } }),
      annotations,
    },
  };
}
