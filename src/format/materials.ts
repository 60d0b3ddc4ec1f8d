import {
  countedTaskRuns,
  type GitSource,
  type Input,
  type PipelineRunEvidence,
  type ResourceInput,
  type TaskRunEvidence,
} from '../model/evidence.ts';
import type { Report } from '../model/problem.ts';
import type { RefSource } from '../tekton/provenance.ts';
import type { Digested } from './digest-set.ts';

/**
 * The images that a TaskRun's steps, then its sidecars, ran in (payloads.md, 4.1). One whose imageID is missing or names no
 * digest is left out, and reported.
 */
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
    name,
    index,
    image: imageRun(imageID),
  }));
  const without = read.filter(({ image }) => image === undefined);
  const [first] = without;
  if (first !== undefined) {
    const names = without.slice(0, 5).map(({ name, index }) => (name === '' ? `${index}` : name));
    const more = without.length > names.length ? ` and ${without.length - names.length} more` : '';
    const why =
      first.imageID === ''
        ? 'is missing: it never started, or its image could not be pulled'
        : `is ${JSON.stringify(first.imageID.slice(0, 200))}, which names no image with a digest: a runtime on one machine may know none`;
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
    ? { name: imageUri(image), digest: new Map([[algorithm, hex]]) }
    : undefined;
}

/** The URI of an image by its imageID: the runtime's prefix is taken off, nothing is normalised. */
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
  return resources.map(fromResource);
}

/** An input and where it comes from. */
export interface PipelineInput {
  readonly from: 'result' | 'resource';
  readonly input: Digested;
}

/** What a PipelineRun, with deep inspection also its TaskRuns, says it was built from (payloads.md, 4.5). */
export function inputsOfPipelineRun(evidence: PipelineRunEvidence, deep: boolean): readonly PipelineInput[] {
  const { hints, git } = evidence;
  const result = (input: Digested): PipelineInput => ({ from: 'result', input });
  const children = deep ? countedTaskRuns(evidence) : [];
  return [
    ...hints.inputs.map(fromInput).map(result),
    ...children.flatMap((child) => [
      ...inputsOfTaskRun(child).map(result),
      ...resourcesOfTaskRun(child).map((input) => ({ from: 'resource', input }) as const),
    ]),
    ...fromCommit(git).map(result),
  ];
}

/** The source of a task or pipeline. */
export function fromSource({ uri = '', digest = new Map() }: RefSource): Digested {
  return { name: uri, digest };
}

function fromCommit({ url, commit }: GitSource): readonly Digested[] {
  return commit === '' ? [] : [{ name: gitUri(url), digest: new Map([['sha1', commit]]) }];
}

function fromInput({ uri, algorithm, hex }: Input): Digested {
  return { name: uri, digest: new Map([[algorithm, hex]]) };
}

function fromResource(resource: ResourceInput): Digested {
  return resource.type === 'git'
    ? { name: gitUri(resource.url), digest: new Map([['sha1', resource.commit]]) }
    : { name: `oci://${resource.url}`, digest: new Map([['sha256', resource.hex]]) };
}

/** With `git+` before and `.git` behind, unless they are there; purely as text (payloads.md, 4.2). */
function gitUri(url: string): string {
  return `${url.startsWith('git+') ? '' : 'git+'}${url}${url.endsWith('.git') ? '' : '.git'}`;
}
