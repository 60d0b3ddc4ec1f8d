import type { Hints, TaskRunEvidence } from '../model/evidence.ts';
import { fullNameOf } from '../model/image.ts';
import type { Report } from '../model/problem.ts';
import { quote } from '../text.ts';

/**
 * Reports what the results of steps name and that doesn't count, or not as a person would think: in most formats nothing
 * of it counts, and images that only a step names are never signed themselves.
 * @param areSubjects whether the format makes subjects of what steps name
 */
export function reportStepHints(
  { hints, steps }: TaskRunEvidence,
  areSubjects: boolean,
  report: Report,
): void {
  const own = new Set(namesIn(hints));
  for (const [index, step] of steps.entries()) {
    const images = new Set(imagesIn(step.hints));
    const names = (areSubjects ? [...images] : namesIn(step.hints)).filter((name) => !own.has(name));
    const sources = areSubjects || step.git.url === '' ? [] : [step.git.url];
    const [first, ...more] = [...new Set([...names, ...sources])];
    if (first === undefined) continue;
    const others = more.length === 0 ? '' : ` and ${more.length} more`;
    const consequence = areSubjects
      ? 'are subjects of the provenance, but their images are not signed'
      : 'count only in the format slsa/v2alpha4, so nothing is signed for them';
    report(
      `status.steps[${index}].results`,
      `the results of this step name ${quote(first)}${others}; results of steps ${consequence}: hand them on as results of the Task`,
    );
  }
}

function imagesIn({ images }: Hints): readonly string[] {
  return images.map(({ image }) => fullNameOf(image));
}

function namesIn(hints: Hints): readonly string[] {
  return [
    ...imagesIn(hints),
    ...[...hints.artifacts, ...hints.outputs].map(({ uri, digest }) => `${uri}@${digest}`),
    ...hints.inputs.map(({ uri, algorithm, hex }) => `${uri}@${algorithm}:${hex}`),
  ];
}
