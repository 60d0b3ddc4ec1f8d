import type { Run, RunKind } from './run.ts';

const domain = 'chains.tekton.dev';

/** The prefix of all labels and annotations that Chains reads or writes (behaviour.md, "A run's life"). */
export const markPrefix = `${domain}/`;

/** Annotation and label `signed`, `true` or `failed`: the end state. */
export const signedMark = `${markPrefix}signed`;

/** Annotation: the uid of the run that was marked, since a rerun copies labels and annotations. */
export const signedUidMark = `${markPrefix}signed-uid`;

/** Annotation: why it failed or what was left out; one line. */
export const messageMark = `${markPrefix}message`;

/** Annotation: the number of attempts so far, once one has failed. */
export const retriesMark = `${markPrefix}retries`;

/** Our finalizer on a run of each kind. */
export const finalizers: Readonly<Record<RunKind, string>> = {
  TaskRun: `${markPrefix}taskrun`,
  PipelineRun: `${markPrefix}pipelinerun`,
};

/** The finalizer of old versions, which is always removed. */
export const oldFinalizer = domain;

/** The field manager of everything that Chains writes. */
export const ourManager = 'tekton-chains-controller';

/** Annotation: the address of the log's entry for the run's own signature. */
export const transparencyMark = `${markPrefix}transparency`;

const ourNames: ReadonlySet<string> = new Set([signedUidMark, messageMark, retriesMark, transparencyMark]);

const ourFinalizerNames: ReadonlySet<string> = new Set([...Object.values(finalizers), oldFinalizer]);

/** Whether Chains sets a finalizer of this name, on a run of any kind. */
export function isOurFinalizer(name: string): boolean {
  return ourFinalizerNames.has(name);
}

/** Whether Chains writes this label or annotation. Others under the prefix are only read. */
export function isOurMark(name: string, value: unknown): boolean {
  if (name === signedMark) return value === 'true' || value === 'failed';
  return ourNames.has(name) || /^chains\.tekton\.dev\/(?:payload|signature|cert|chain|evidence)-/.test(name);
}

/** How a run can end. */
export type EndState = 'true' | 'failed';

/** The end state in the annotation, whoever wrote it and for whichever run. */
export function claimedEndState(run: Pick<Run, 'annotations'>): EndState | undefined {
  const value = run.annotations[signedMark];
  return value === 'true' || value === 'failed' ? value : undefined;
}

/**
 * The end state of this run: a mark is valid for the uid that it names. One without uid, as other versions of Chains write
 * it, is valid on a run that is done.
 */
export function endStateOf(run: Pick<Run, 'annotations' | 'uid' | 'progress'>): EndState | undefined {
  const writtenFor = run.annotations[signedUidMark];
  const isValid = writtenFor === undefined ? run.progress.state === 'done' : writtenFor === run.uid;
  return isValid ? claimedEndState(run) : undefined;
}

/** Those of a run's finalizers that are ours to remove. */
export function ourFinalizers(run: Pick<Run, 'kind' | 'finalizers'>): readonly string[] {
  return run.finalizers.filter((name) => name === finalizers[run.kind] || name === oldFinalizer);
}
