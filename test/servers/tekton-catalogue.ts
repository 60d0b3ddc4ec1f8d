import type { RunKind } from '../../src/model/run.ts';

/** What becomes of one run of the catalogue. */
export interface Expected {
  /** The reason that Tekton gives in its condition. */
  readonly reason: string;
  /** What its provenance says was built, with the first digits of the digests: `registry.example/team/app 1a2b`. */
  readonly built?: readonly string[];
  /** Something else that its provenance says. */
  readonly provenance?: RegExp;
  /** What its annotation says was left out; nothing otherwise. */
  readonly message?: RegExp;
  /** It ends as soon as Tekton looks at it. */
  readonly isBrief?: true;
}

/** A busy machine may take so long to start a pod that its step has no image yet when its time is over. */
const perhapsNotStarted = /^(status\.steps\[0\]\.imageID: .*: it never started.*)?$/;

/** The tasks of the Pipeline `release` that run. */
export const release: readonly string[] = [
  'clone',
  'build',
  'words-0',
  'words-1',
  'words-2',
  'inline',
  'last',
];

/** The runs of `tekton/runs.yaml`, and what Tekton and we make of them. */
export const catalogue: Readonly<Record<RunKind, Readonly<Record<string, Expected>>>> = {
  TaskRun: {
    referenced: { reason: 'Succeeded', built: ['registry.example/team/referenced aaaa'] },
    beta: { reason: 'Succeeded', built: ['registry.example/team/beta 2aaa'] },
    lists: {
      reason: 'Succeeded',
      built: ['registry.example/team/one 1111', 'registry.example/team/two 2222'],
    },
    objects: {
      reason: 'Succeeded',
      built: ['registry.example/team/object 3333'],
      provenance: /git\+https:\/\/git\.example\/team\/object\.git.*4444/,
    },
    'step-action': { reason: 'Succeeded', built: ['registry.example/team/step cccc'] },
    artifacts: { reason: 'Succeeded' },
    'ignored-failure': { reason: 'Succeeded' },
    failed: { reason: 'StepFailed', built: ['registry.example/team/failed 7777'] },
    retried: { reason: 'Succeeded', built: ['registry.example/team/flaky ffff'] },
    'timed-out': { reason: 'TaskRunTimeout', message: perhapsNotStarted },
    cancelled: { reason: 'TaskRunCancelled' },
    'no-such-task': { reason: 'TaskRunResolutionFailed', isBrief: true },
  },
  PipelineRun: {
    release: {
      reason: 'Completed',
      built: ['registry.example/team/release aaaa'],
      provenance: /git\+https:\/\/git\.example\/team\/app\.git.*1234567812345678/,
    },
    'release-beta': { reason: 'Completed', built: ['registry.example/team/release-beta aaaa'] },
    matrix: {
      reason: 'Succeeded',
      built: ['registry.example/team/m1 aaaa', 'registry.example/team/m2 aaaa'],
    },
    retries: { reason: 'Succeeded', built: ['registry.example/team/flaky ffff'] },
    'all-skipped': { reason: 'Completed', isBrief: true },
    'pipeline-failed': { reason: 'Failed' },
    'pipeline-cancelled': { reason: 'Cancelled' },
    'pipeline-stopped': { reason: 'Cancelled' },
    'pipeline-timed-out': { reason: 'PipelineRunTimeout', message: perhapsNotStarted },
    custom: {
      reason: 'Succeeded',
      message: /CustomRun "custom-approve" is left out of the provenance: it is not a TaskRun/,
    },
    'no-such-pipeline': { reason: 'CouldntGetPipeline', isBrief: true },
  },
};

/** The TaskRuns that Tekton makes of the PipelineRuns above. */
export const children: readonly string[] = [
  ...release.flatMap((name) => [`release-${name}`, `release-beta-${name}`]),
  ...['matrix-build-0', 'matrix-build-1', 'matrix-use', 'retries-try'],
  ...['pipeline-failed-bad', 'pipeline-failed-last'],
  ...['pipeline-cancelled-wait', 'pipeline-stopped-wait', 'pipeline-stopped-last'],
  ...['pipeline-timed-out-wait', 'pipeline-timed-out-last', 'custom-after'],
];
