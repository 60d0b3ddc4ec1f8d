import { completedTaskRuns, type PipelineRunEvidence, type TaskRunEvidence } from '../../model/evidence.ts';
import { goJson } from '../../tekton/go-json.ts';
import { written } from '../../tekton/shape.ts';
import { type Value, value } from '../../tekton/value.ts';
import { trim } from '../../tekton/white-space.ts';
import type { ResourceDescriptor } from '../statement.ts';

/** Which results become byproducts, and under which names (payloads.md, 9.6). @throws ChainsError RUN_UNREADABLE */
export interface ByproductRule {
  readonly ofTaskRun: (evidence: TaskRunEvidence) => readonly ResourceDescriptor[];
  readonly ofPipelineRun: (evidence: PipelineRunEvidence, deep: boolean) => readonly ResourceDescriptor[];
}

/** Every result of the run itself: `slsa/v2alpha3`. */
export const byName: ByproductRule = {
  ofTaskRun: ({ taskRun }) => byproducts('taskRunResults', taskRun.status?.results),
  ofPipelineRun: ({ pipelineRun }) => byproducts('pipelineRunResults', pipelineRun.status?.results),
};

/** The results that name no subject, those of steps and, with deep inspection, of TaskRuns too: `slsa/v2alpha4`. */
export const byRunAndName: ByproductRule = {
  ofTaskRun({ taskRun: { metadata, status } }) {
    const name = metadata?.name ?? '';
    const ofSteps = (status?.steps ?? []).flatMap((step) => step.results ?? []);
    return [
      ...byproducts(`taskRunResults/${name}`, status?.results?.filter(namesNoSubject)),
      ...byproducts(`stepResults/${name}`, ofSteps.filter(namesNoSubject)),
    ];
  },
  ofPipelineRun(evidence, deep) {
    const { metadata, status } = evidence.pipelineRun;
    return [
      ...byproducts(`pipelineRunResults/${metadata?.name ?? ''}`, status?.results?.filter(namesNoSubject)),
      ...(deep ? completedTaskRuns(evidence).flatMap(byRunAndName.ofTaskRun) : []),
    ];
  },
};

interface NamedResult {
  readonly name?: string;
  readonly value?: Value;
}

function namesNoSubject({ name = '', value: given }: NamedResult): boolean {
  if (name.endsWith('IMAGE_URL') || name.endsWith('IMAGE_DIGEST') || name === 'IMAGES') return false;
  if (!name.endsWith('ARTIFACT_OUTPUTS')) return true;
  return given?.kind === 'object' && trim(given.members.get('isBuildArtifact') ?? '') !== 'true';
}

function byproducts(folder: string, results: readonly NamedResult[] = []): readonly ResourceDescriptor[] {
  return results.map(({ name = '', value: given }) => ({
    name: `${folder}/${name}`,
    content: Buffer.from(goJson(written(value, given, `the result ${name}`))).toString('base64'),
    mediaType: 'application/json',
  }));
}
