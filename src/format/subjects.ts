import {
  completedTaskRuns,
  type Hints,
  type Output,
  type PipelineRunEvidence,
  type TaskRunEvidence,
} from '../model/evidence.ts';
import type { ImageReference } from '../model/image.ts';
import { map, text } from '../tekton/shape.ts';
import { type Digested, merged, rawDigest } from './digest-set.ts';
import { listOrAbsent, type Subject } from './statement.ts';

/** How the results of one list become subjects. */
export type SubjectRule = (hints: Hints) => readonly Digested[];

/** Images, artifact pairs and all outputs: the formats `in-toto`, `slsa/v1` and `slsa/v2alpha3` (payloads.md, 3.3). */
export const allArtifacts: SubjectRule = ({ images, artifacts, outputs }) => [
  ...images.map(digestedImage),
  ...[...artifacts, ...outputs].map(digestedOutput),
];

/** Build artifacts and images: the format `slsa/v2alpha4` (payloads.md, 3.4). */
export const buildArtifacts: SubjectRule = ({ images, outputs }) => [
  ...outputs.filter(({ isBuildArtifact }) => isBuildArtifact).map(digestedOutput),
  ...images.map(digestedImage),
];

/** Which results name subjects. */
export interface SubjectScope {
  readonly rule: SubjectRule;
  /** The results of steps too, before those of their task. */
  readonly steps: boolean;
}

/** The subjects of a TaskRun; undefined when there are none. */
export function subjectsOfTaskRun(
  evidence: TaskRunEvidence,
  scope: SubjectScope,
): readonly Subject[] | undefined {
  return subjectsOf(artifactsOf(evidence, scope));
}

/**
 * The subjects of a PipelineRun; undefined when there are none. With deep inspection those of its TaskRuns come first,
 * or, where the results of steps are read, last.
 */
export function subjectsOfPipelineRun(
  evidence: PipelineRunEvidence,
  scope: SubjectScope & { readonly deep: boolean },
): readonly Subject[] | undefined {
  const own = scope.rule(evidence.hints);
  const children = scope.deep
    ? completedTaskRuns(evidence).flatMap((child) => artifactsOf(child, scope))
    : [];
  return subjectsOf(scope.steps ? [...own, ...children] : [...children, ...own]);
}

/** The image as the one subject. */
export function subjectsOfImage(image: ImageReference): readonly Subject[] | undefined {
  return subjectsOf([digestedImage({ image })]);
}

function artifactsOf({ hints, steps }: TaskRunEvidence, scope: SubjectScope): readonly Digested[] {
  const ofSteps = scope.steps ? steps.flatMap((step) => scope.rule(step.hints)) : [];
  return [...ofSteps, ...scope.rule(hints)];
}

function digestedImage({ image }: { readonly image: ImageReference }): Digested {
  return { name: image.repository, digest: rawDigest(image.digest) };
}

function digestedOutput({ uri, digest }: Output): Digested {
  return { name: uri, digest: rawDigest(digest) };
}

function subjectsOf(artifacts: readonly Digested[]): readonly Subject[] | undefined {
  return listOrAbsent(
    merged(artifacts).map(({ name, digest }) => ({ name, digest: map(text).encode(digest) })),
  );
}
