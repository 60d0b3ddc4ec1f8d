import type { Run, RunKind } from './run.ts';

const domain = 'chains.tekton.dev';

/** Everything under this prefix, in labels and annotations, is written or read by us (behaviour.md, “A run's life”). */
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
