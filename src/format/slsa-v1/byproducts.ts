import { countedTaskRuns, type PipelineRunEvidence, type TaskRunEvidence } from '../../model/evidence.ts';
import { goJson } from '../../tekton/go-json.ts';
import { written } from '../../tekton/shape.ts';
import { type Value, value } from '../../tekton/value.ts';
import { trim } from '../../tekton/white-space.ts';
import { listOrAbsent } from '../statement.ts';
import type { Byproduct } from './predicate.ts';

/** Which results become byproducts, and under which names (payloads.md, 9.6). @throws ChainsError RUN_UNREADABLE */
export interface ByproductRule {
  readonly ofTaskRun: (evidence: TaskRunEvidence) => readonly Byproduct[] | undefined;
  readonly ofPipelineRun: (evidence: PipelineRunEvidence, deep: boolean) => readonly Byproduct[] | undefined;
}

/** Every result of the run itself: `slsa/v2alpha3`. */
export const byName: ByproductRule = {
  ofTaskRun: ({ taskRun }) =>
    listOrAbsent((taskRun.status?.results ?? []).map((result) => byproduct('taskRunResults', result))),
  ofPipelineRun: ({ pipelineRun }) =>
    listOrAbsent(
      (pipelineRun.status?.results ?? []).map((result) => byproduct('pipelineRunResults', result)),
    ),
};

/** The results that name no subject, those of steps and, with deep inspection, of TaskRuns too: `slsa/v2alpha4`. */
export const byRunAndName: ByproductRule = {
  ofTaskRun: (evidence) => listOrAbsent(unnamedResults(evidence)),
  ofPipelineRun(evidence, deep) {
    const { metadata, status } = evidence.pipelineRun;
    const own = (status?.results ?? [])
      .filter(namesNoSubject)
      .map((result) => byproduct(`pipelineRunResults/${metadata?.name ?? ''}`, result));
    const children = deep ? countedTaskRuns(evidence).flatMap(unnamedResults) : [];
    return listOrAbsent([...own, ...children]);
  },
};

interface NamedResult {
  readonly name?: string;
  readonly value?: Value;
}

function unnamedResults({ taskRun: { metadata, status } }: TaskRunEvidence): readonly Byproduct[] {
  const name = metadata?.name ?? '';
  const byproductsOf = (folder: string, results: readonly NamedResult[]) =>
    results.filter(namesNoSubject).map((result) => byproduct(`${folder}/${name}`, result));
  return [
    ...byproductsOf('taskRunResults', status?.results ?? []),
    ...byproductsOf(
      'stepResults',
      (status?.steps ?? []).flatMap((step) => step.results ?? []),
    ),
  ];
}

function namesNoSubject({ name = '', value: given }: NamedResult): boolean {
  if (name.endsWith('IMAGE_URL') || name.endsWith('IMAGE_DIGEST') || name === 'IMAGES') return false;
  if (!name.endsWith('ARTIFACT_OUTPUTS')) return true;
  return given?.kind === 'object' && trim(given.members.get('isBuildArtifact') ?? '') !== 'true';
}

function byproduct(folder: string, { name = '', value: given }: NamedResult): Byproduct {
  const json = goJson(written(value, given, `the result ${name}`));
  return {
    name: `${folder}/${name}`,
    content: Buffer.from(json).toString('base64'),
    mediaType: 'application/json',
  };
}
