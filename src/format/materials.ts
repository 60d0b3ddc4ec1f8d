import {
  completedTaskRuns,
  type GitSource,
  type Input,
  type PipelineRunEvidence,
  type TaskRunEvidence,
} from '../model/evidence.ts';
import type { Report } from '../model/problem.ts';
import type { RefSource } from '../tekton/provenance.ts';
import type { Digested } from './digest-set.ts';

/** The images of a TaskRun's steps, then its sidecars (payloads.md, 4.1). Those without a digest are left out and reported. */
export function imagesRun({ taskRun }: TaskRunEvidence, report: Report): readonly Digested[] {
  const { steps = [], sidecars = [] } = taskRun.status ?? {};
  const name = taskRun.metadata?.name ?? '';
  return [...imagesOf(steps, 'steps', name, report), ...imagesOf(sidecars, 'sidecars', name, report)];
}

function imagesOf(
  containers: readonly { readonly name?: string; readonly imageID?: string }[],
  key: 'steps' | 'sidecars',
  taskRun: string,
  report: Report,
): readonly Digested[] {
  const read = containers.map(({ imageID = '', name = '' }, index) => ({
    imageID,
    name: name === '' ? `${index}` : name,
    index,
    image: imageRun(imageID),
  }));
  const without = read.filter(({ image }) => image === undefined);
  const [first] = without;
  if (first !== undefined) {
    const names = without.slice(0, 5).map(({ name }) => name);
    const more = without.length > names.length ? ` and ${without.length - names.length} more` : '';
    const why =
      first.imageID === ''
        ? 'is missing: it never started, or its image could not be pulled'
        : `is ${JSON.stringify(first.imageID.slice(0, 200))}, which names no image with a digest; an image that was loaded into the node instead of pulled has none`;
    report(
      `status.${key}[${first.index}].imageID`,
      `the images of ${key} of TaskRun ${taskRun} are left out of the provenance (${names.join(', ')}${more}): imageID ${why}`,
    );
  }
  return read.flatMap(({ image }) => image ?? []);
}

function imageRun(imageID: string): Digested | undefined {
  const [image = '', digest = '', ...more] = imageID.split('@', 3);
  const [algorithm = '', hex, ...rest] = digest.split(':', 3);
  return hex !== undefined && more.length === 0 && rest.length === 0
    ? digested(imageUri(image), algorithm, hex)
    : undefined;
}

/** The URI of an image by its imageID, without the runtime's prefix; nothing else is normalised. */
export function imageUri(imageID: string): string {
  return `oci://${imageID.replace(/^docker-pullable:\/\//, '')}`;
}

/** What the results and params of a TaskRun say it was built from (payloads.md, 4.3). */
export function inputsOfTaskRun({ git, hints }: TaskRunEvidence): readonly Digested[] {
  return [...fromCommit(git), ...hints.inputs.map(fromInput)];
}

/** What the results of a TaskRun's steps say they were built from (payloads.md, 4.4). */
export function inputsOfSteps({ steps }: TaskRunEvidence): readonly Digested[] {
  return [
    ...steps.flatMap(({ git }) => fromCommit(git)),
    ...steps.flatMap(({ hints }) => hints.inputs.map(fromInput)),
  ];
}

/** The PipelineResources that a TaskRun took in (payloads.md, 13). */
export function resourcesOfTaskRun({ resources }: TaskRunEvidence): readonly Digested[] {
  return resources.map((resource) =>
    resource.type === 'git'
      ? digested(gitUri(resource.url), 'sha1', resource.commit)
      : digested(`oci://${resource.url}`, 'sha256', resource.hex),
  );
}

/** An input and where it comes from. */
export interface PipelineInput {
  readonly from: 'result' | 'resource';
  readonly input: Digested;
}

/** What a PipelineRun, with deep inspection also its TaskRuns, says it was built from (payloads.md, 4.5). */
export function inputsOfPipelineRun(evidence: PipelineRunEvidence, deep: boolean): readonly PipelineInput[] {
  const result = (input: Digested): PipelineInput => ({ from: 'result', input });
  const resource = (input: Digested): PipelineInput => ({ from: 'resource', input });
  const children = deep ? completedTaskRuns(evidence) : [];
  return [
    ...evidence.hints.inputs.map(fromInput).map(result),
    ...children.flatMap((child) => [
      ...inputsOfTaskRun(child).map(result),
      ...resourcesOfTaskRun(child).map(resource),
    ]),
    ...fromCommit(evidence.git).map(result),
  ];
}

/** The source of a task or pipeline. */
export function fromSource({ uri = '', digest = new Map() }: RefSource): Digested {
  return { name: uri, digest };
}

function fromCommit({ url, commit }: GitSource): readonly Digested[] {
  return commit === '' ? [] : [digested(gitUri(url), 'sha1', commit)];
}

function fromInput({ uri, algorithm, hex }: Input): Digested {
  return digested(uri, algorithm, hex);
}

function digested(name: string, algorithm: string, hex: string): Digested {
  return { name, digest: new Map([[algorithm, hex]]) };
}

/** Adds the prefix `git+` and the suffix `.git` where they are missing; nothing is parsed (payloads.md, 4.2). */
function gitUri(url: string): string {
  return `${url.startsWith('git+') ? '' : 'git+'}${url}${url.endsWith('.git') ? '' : '.git'}`;
}
