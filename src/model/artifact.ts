import type { Run } from './run.ts';

/** What can be signed: a run itself, or an OCI image that it built. The names are those of the ConfigMap's keys. */
export type ArtifactKind = 'taskrun' | 'pipelinerun' | 'oci';

/** An image by its repository, as Docker normalises it, and its digest (payloads.md, 2.1). */
export interface ImageReference {
  /** Registry and repository: `index.docker.io/library/busybox`. */
  readonly repository: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
}

/** Something to sign, and the names under which its signature is stored (behaviour.md, “A run's life”). */
export type Artifact = {
  /** The run it comes from; for an image, the run that built it. */
  readonly run: Run;
  /** Short, unique in one run: `taskrun-<uid>`, or the first 12 hex digits of an image's digest. */
  readonly key: string;
  /** `tekton.dev-v1-TaskRun-<uid>`, or an image's `repository@digest`. */
  readonly fullKey: string;
} & (
  | { readonly kind: 'taskrun' | 'pipelinerun' }
  | {
      readonly kind: 'oci';
      readonly image: ImageReference;
      /** Where in the run the image was named: `status.results[0]`. */
      readonly source: string;
    }
);

/** Something in a run that looks like a hint or value but signs nothing, and why. Never fatal. */
export interface Problem {
  /** Where: `status.results[0].value`. */
  readonly at: string;
  /** What is wrong and what to change, one line. */
  readonly message: string;
}
