import type { Hints, TaskRunEvidence } from '../model/evidence.ts';
import { fullNameOf } from '../model/image.ts';
import type { Report } from '../model/problem.ts';
import { textOf } from '../tekton/value.ts';
import { trim } from '../tekton/white-space.ts';
import { quote } from '../text.ts';
import type { Result } from './results.ts';

/** Endings in lower case without separators, and the hint that was probably meant. */
const endings: readonly (readonly [string, string])[] = [
  ['imageurl', 'IMAGE_URL'],
  ['imagesurl', 'IMAGE_URL'],
  ['imageuri', 'IMAGE_URL'],
  ['imagesuri', 'IMAGE_URL'],
  ['imagedigest', 'IMAGE_DIGEST'],
  ['imagesdigest', 'IMAGE_DIGEST'],
  ['imagesha256', 'IMAGE_DIGEST'],
  ['artifacturi', 'ARTIFACT_URI'],
  ['artifactsuri', 'ARTIFACT_URI'],
  ['artifacturl', 'ARTIFACT_URI'],
  ['artifactdigest', 'ARTIFACT_DIGEST'],
  ['artifactsdigest', 'ARTIFACT_DIGEST'],
  ['artifactoutput', 'ARTIFACT_OUTPUTS'],
  ['artifactoutputs', 'ARTIFACT_OUTPUTS'],
  ['artifactsoutputs', 'ARTIFACT_OUTPUTS'],
  ['artifactinput', 'ARTIFACT_INPUTS'],
  ['artifactinputs', 'ARTIFACT_INPUTS'],
  ['artifactsinputs', 'ARTIFACT_INPUTS'],
];

/** Whole names, in the same form. */
const wholes = new Map([
  ['images', 'IMAGES'],
  ['chainsgiturl', 'CHAINS-GIT_URL'],
  ['chainsgitcommit', 'CHAINS-GIT_COMMIT'],
]);

/** Reports the results `url` and `commit`, as the task git-clone names them, where nothing else names the source. */
export function reportClone(results: readonly Result[], hasSource: boolean, report: Report): void {
  const text = (name: string) => trim(textOf(results.find((result) => result.name === name)?.value));
  const commit = results.find(({ name }) => name === 'commit');
  if (hasSource || commit === undefined || text('url') === '' || !/^[0-9a-f]{40}$/.test(text('commit')))
    return;
  report(
    commit.at,
    '"url" and "commit" are not type hints, so the provenance names no source; give the Task the results CHAINS-GIT_URL and CHAINS-GIT_COMMIT with these values, or the Pipeline params of these names',
  );
}

/** How much of a name's end is compared: enough for the longest ending with separators. */
const compared = 48;

/** Reports results whose names resemble a type hint without being one: names must match exactly, including case. */
export function reportNearMisses(results: readonly Result[], report: Report): void {
  for (const { name, at } of results) {
    const meant = meantBy(name);
    if (meant === undefined || name.endsWith(meant)) continue;
    const advice = `if it is meant as one, let its name end with ${meant}`;
    report(`${at}.name`, `${quote(name)} is not a type hint, so nothing is signed for it; ${advice}`);
  }
}

function meantBy(name: string): string | undefined {
  const end = name
    .slice(-compared)
    .toLowerCase()
    .replace(/[-_. ]/g, '');
  const whole = name.length <= compared ? wholes.get(end) : undefined;
  return whole ?? endings.find(([ending]) => end.endsWith(ending))?.[1];
}

/**
 * Reports what only the results of steps name: most formats ignore it, and its images are never signed.
 * @param areSubjects whether the format makes subjects of what steps name
 */
export function reportStepHints(
  { hints, steps }: TaskRunEvidence,
  areSubjects: boolean,
  report: Report,
): void {
  const own = new Set(namesIn(hints));
  for (const [index, step] of steps.entries()) {
    const named = areSubjects ? imagesIn(step.hints) : namesIn(step.hints);
    const names = named.filter((name) => !own.has(name));
    const sources = areSubjects || step.git.url === '' ? [] : [step.git.url];
    const [first, ...more] = [...new Set([...names, ...sources])];
    if (first === undefined) continue;
    const others = more.length === 0 ? '' : ` and ${more.length} more`;
    const consequence = areSubjects
      ? 'are subjects of the provenance, but their images are not signed'
      : 'are used only in the format slsa/v2alpha4, so nothing is signed for them';
    report(
      `status.steps[${index}].results`,
      `the results of this step name ${quote(first)}${others}; results of steps ${consequence}: declare them as results of the Task too`,
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
