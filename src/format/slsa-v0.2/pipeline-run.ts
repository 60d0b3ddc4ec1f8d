import { countedTaskRuns, type PipelineRunEvidence } from '../../model/evidence.ts';
import type { Report } from '../../model/problem.ts';
import type { RefSource } from '../../tekton/provenance.ts';
import { type Digested, type Merged, merged } from '../digest-set.ts';
import { fromSource, imagesRun, inputsOfPipelineRun } from '../materials.ts';
import { invocation } from './invocation.ts';
import { materials, metadata } from './metadata.ts';
import type { PipelineRunBuildConfig, Predicate } from './predicate.ts';
import { tasksOf } from './tasks.ts';

/** How a PipelineRun's provenance is made. */
export interface PipelineRunOptions {
  readonly builderId: string;
  /** Whether inputs of its TaskRuns count. */
  readonly deep: boolean;
  readonly report: Report;
}

/** The provenance of a PipelineRun (payloads.md, 8). @throws ChainsError RUN_UNREADABLE */
export function pipelineRunProvenance(
  evidence: PipelineRunEvidence,
  { builderId, deep, report }: PipelineRunOptions,
): Predicate<PipelineRunBuildConfig> {
  const { metadata: meta, spec, status } = evidence.pipelineRun;
  const things = merged([
    ...fromOptionalSource(status?.provenance?.refSource),
    ...countedTaskRuns(evidence).flatMap((child) => [
      ...imagesRun(child, report),
      ...fromOptionalSource(child.taskRun.status?.provenance?.refSource),
    ]),
    ...inputsOfPipelineRun(evidence, deep).map(({ input }) => input),
  ]);
  const sourceOf = afterMerging(things);
  return {
    builder: { id: builderId },
    buildType: 'tekton.dev/v1/PipelineRun',
    invocation: invocation({
      metadata: meta,
      specs: status?.pipelineSpec?.params,
      params: spec?.params,
      source: sourceOf(status?.provenance?.refSource),
    }),
    buildConfig: { tasks: tasksOf(evidence, { sourceOf, report }) },
    metadata: metadata(meta, status),
    materials: materials(things),
  };
}

function fromOptionalSource(source: RefSource | undefined): readonly Digested[] {
  return source === undefined ? [] : [fromSource(source)];
}

/**
 * A source as invocations show it: with the digests that were merged into the material that it opened. The reference
 * implementation merges into the run's own source, so that policies may have come to expect them (payloads.md, 8.1).
 */
function afterMerging(things: readonly Merged[]): (source: RefSource | undefined) => RefSource | undefined {
  return (source) => {
    if (source?.digest === undefined) return source;
    const opened = things.find(({ first }) => first.digest === source.digest);
    return { ...source, digest: opened?.digest ?? source.digest };
  };
}
