import {
  countedTaskRuns,
  type Hints,
  type PipelineRunEvidence,
  type TaskRunEvidence,
} from '../model/evidence.ts';
import { type Digested, merged, rawDigest } from './digest-set.ts';
import { digestJson, listOrAbsent, type Subject } from './statement.ts';

/** How the results of one list become subjects. */
export type SubjectRule = (hints: Hints) => readonly Digested[];

/** Images, artifact pairs and all outputs: the formats `in-toto`, `slsa/v1` and `slsa/v2alpha3` (payloads.md, 3.3). */
export const namedThings: SubjectRule = (hints) => [
  ...images(hints),
  ...hints.artifacts.map(stated),
  ...hints.outputs.map(stated),
];

/** Build artifacts and images: the format `slsa/v2alpha4` (payloads.md, 3.4). */
export const builtThings: SubjectRule = (hints) => [
  ...hints.outputs.filter(({ isBuildArtifact }) => isBuildArtifact).map(stated),
  ...images(hints),
];

/** Whose results count besides the run's own. */
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
  return written(thingsOf(evidence, scope));
}

/**
 * The subjects of a PipelineRun; undefined when there are none. With deep inspection those of its TaskRuns come first,
 * or, where steps count, last.
 */
export function subjectsOfPipelineRun(
  evidence: PipelineRunEvidence,
  scope: SubjectScope & { readonly deep: boolean },
): readonly Subject[] | undefined {
  const own = scope.rule(evidence.hints);
  const children = scope.deep ? countedTaskRuns(evidence).flatMap((child) => thingsOf(child, scope)) : [];
  return written(scope.steps ? [...own, ...children] : [...children, ...own]);
}

function thingsOf({ hints, steps }: TaskRunEvidence, scope: SubjectScope): readonly Digested[] {
  const ofSteps = scope.steps ? steps.flatMap((step) => scope.rule(step.hints)) : [];
  return [...ofSteps, ...scope.rule(hints)];
}

function images(hints: Hints): readonly Digested[] {
  return hints.images.map(({ image }) => ({ name: image.repository, digest: rawDigest(image.digest) }));
}

function stated({ uri, digest }: { readonly uri: string; readonly digest: string }): Digested {
  return { name: uri, digest: rawDigest(digest) };
}

function written(things: readonly Digested[]): readonly Subject[] | undefined {
  return listOrAbsent(merged(things).map(({ name, digest }) => ({ name, digest: digestJson(digest) })));
}
