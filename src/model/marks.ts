import type { Run, RunKind } from './run.ts';

const domain = 'chains.tekton.dev';

/** Everything under this prefix, in labels and annotations, is written or read by us (behaviour.md, "A run's life"). */
export const markPrefix = `${domain}/`;

/** Annotation and label `signed`, `true` or `failed`: the end state. */
export const signedMark = `${markPrefix}signed`;

/** Annotation: the uid that the mark was written for, since a rerun copies labels and annotations. */
export const signedUidMark = `${markPrefix}signed-uid`;

/** Annotation: why it failed or what was left out; one line. */
export const messageMark = `${markPrefix}message`;

/** Annotation: attempts so far, once there has been a failure. */
export const retriesMark = `${markPrefix}retries`;

/** Our finalizer on a run of each kind. */
export const finalizers: Readonly<Record<RunKind, string>> = {
  TaskRun: `${markPrefix}taskrun`,
  PipelineRun: `${markPrefix}pipelinerun`,
};

/** The finalizer of old versions, removed wherever it is met. */
export const oldFinalizer = domain;

/** The field manager of all that Chains writes. */
export const ourManager = 'tekton-chains-controller';

/** Annotation: the address of the log's entry for the run's own signature. */
export const transparencyMark = `${markPrefix}transparency`;

const ourNames: ReadonlySet<string> = new Set([signedUidMark, messageMark, retriesMark, transparencyMark]);

const ourFinalizerNames: ReadonlySet<string> = new Set([...Object.values(finalizers), oldFinalizer]);

/** Whether a finalizer of this name is one that Chains sets, on a run of whichever kind. */
export function isOurFinalizer(name: string): boolean {
  return ourFinalizerNames.has(name);
}

/** Whether a label or annotation is one that Chains writes; others under the prefix are read by it. */
export function isOurMark(name: string, value: unknown): boolean {
  if (name === signedMark) return value === 'true' || value === 'failed';
  return ourNames.has(name) || /^chains\.tekton\.dev\/(?:payload|signature|cert|chain|evidence)-/.test(name);
}

/** How a run can end. */
export type EndState = 'true' | 'failed';

/** The end state that an annotation or label claims, whoever wrote it and for whichever run. */
export function claimedEndState(run: Pick<Run, 'annotations'>): EndState | undefined {
  const value = run.annotations[signedMark];
  return value === 'true' || value === 'failed' ? value : undefined;
}

/**
 * The end state of this very run: a mark is believed for the uid it was written for; one without uid, as another
 * Chains writes it, is believed on a run that is done.
 */
export function endStateOf(run: Pick<Run, 'annotations' | 'uid' | 'progress'>): EndState | undefined {
  const writtenFor = run.annotations[signedUidMark];
  const believed = writtenFor === undefined ? run.progress.state === 'done' : writtenFor === run.uid;
  return believed ? claimedEndState(run) : undefined;
}

/** Those of a run's finalizers that are ours to remove. */
export function ourFinalizers(run: Pick<Run, 'kind' | 'finalizers'>): readonly string[] {
  return run.finalizers.filter((name) => name === finalizers[run.kind] || name === oldFinalizer);
}
