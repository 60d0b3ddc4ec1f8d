import { ChainsError } from '../errors.ts';
import type { PipelineRunEvidence, TaskRunEvidence } from './evidence.ts';
import type { ImageReference } from './image.ts';
import type { Run, RunKind } from './run.ts';

/** What can be signed: a run itself, or an OCI image that it built. The names are used in the ConfigMap's keys. */
export type ArtifactKind = 'taskrun' | 'pipelinerun' | 'oci';

/** The kind of the artifact that a run is. */
export function artifactKindOf(kind: RunKind): Exclude<ArtifactKind, 'oci'> {
  return kind === 'TaskRun' ? 'taskrun' : 'pipelinerun';
}

/** The key of a run's own artifact: `taskrun-<uid>`. */
export function ownKeyOf({ kind, uid }: Pick<Run, 'kind' | 'uid'>): string {
  return `${artifactKindOf(kind)}-${uid}`;
}

/** Something to sign, and the names under which its signature is stored (behaviour.md, "A run's life"). */
export type Artifact = {
  /** The run it comes from; for an image, the run that built it. */
  readonly run: Run;
  /** Short: `taskrun-<uid>`, or the first 12 hex digits of an image's digest. */
  readonly key: string;
  /** `tekton.dev-v1-TaskRun-<uid>`, or an image's `repository@digest`. */
  readonly fullKey: string;
} & (
  | { readonly kind: 'taskrun'; readonly evidence: TaskRunEvidence | ChainsError }
  | { readonly kind: 'pipelinerun'; readonly evidence: PipelineRunEvidence | ChainsError }
  | {
      readonly kind: 'oci';
      readonly image: ImageReference;
      /** The key that its entry is stored under, where an earlier image has the same `key`. */
      readonly ownKey?: string;
      /** Where in the run the image was named: `status.results[0]`. */
      readonly source: string;
      /** What names it there, for people: `"IMAGE_URL" and "IMAGE_DIGEST"`. */
      readonly names: string;
    }
);

/** An image that a run built. */
export type ImageArtifact = Extract<Artifact, { kind: 'oci' }>;

/** The key that an artifact's entry is stored under in every store, unique in one run. */
export function storageKeyOf(artifact: Artifact): string {
  return (artifact.kind === 'oci' ? artifact.ownKey : undefined) ?? artifact.key;
}

/** The repositories of the images that an artifact is or names. */
export function repositoriesOf(artifact: Artifact): readonly string[] {
  if (artifact.kind === 'oci') return [artifact.image.repository];
  const { evidence } = artifact;
  return evidence instanceof ChainsError ? [] : evidence.hints.images.map(({ image }) => image.repository);
}
