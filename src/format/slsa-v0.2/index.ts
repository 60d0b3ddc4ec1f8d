import type { Config } from '../../config/keys.ts';
import { completedTaskRuns } from '../../model/evidence.ts';
import { markPrefix } from '../../model/marks.ts';
import type { PipelineRun } from '../../tekton/pipeline-run.ts';
import type { RefSource } from '../../tekton/provenance.ts';
import type { TaskRun } from '../../tekton/task-run.ts';
import { withShortFraction } from '../../tekton/time.ts';
import { type Digested, type Merged, merged } from '../digest-set.ts';
import { runFormat } from '../format.ts';
import {
  fromSource,
  imagesRun,
  inputsOfPipelineRun,
  inputsOfTaskRun,
  resourcesOfTaskRun,
} from '../materials.ts';
import { listOrAbsent, textOrAbsent, textsOrAbsent } from '../statement.ts';
import { allArtifacts } from '../subjects.ts';
import { buildStep, buildTasks } from './build-config.ts';
import { invocation, taskRunInvocation } from './invocation.ts';

/** The formats `in-toto` and `slsa/v1`: SLSA provenance v0.2 in an in-toto v0.1 statement (payloads.md, 6 to 8). */
export const slsaV02 = runFormat({
  types: {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://slsa.dev/provenance/v0.2',
  },
  subjects: () => ({ rule: allArtifacts, steps: false }),
  taskRun(evidence, { config, report }) {
    const { status } = evidence.taskRun;
    const specs = status?.taskSpec?.steps ?? [];
    return predicate(config, evidence.taskRun, {
      buildType: 'tekton.dev/v1/TaskRun',
      invocation: taskRunInvocation(evidence, status?.provenance?.refSource),
      buildConfig: {
        // Steps are matched by name. Tekton names a step without one in its state, so it matches no spec.
        steps: (status?.steps ?? []).map((state) =>
          buildStep(specs.find((spec) => (spec.name ?? '') === (state.name ?? '')) ?? {}, state),
        ),
      },
      materials: merged([
        ...imagesRun(evidence, report),
        ...inputsOfTaskRun(evidence),
        ...resourcesOfTaskRun(evidence),
      ]),
    });
  },
  pipelineRun(evidence, { config, report }) {
    const { metadata, spec, status } = evidence.pipelineRun;
    const materials = merged([
      ...fromOptionalSource(status?.provenance?.refSource),
      ...completedTaskRuns(evidence).flatMap((child) => [
        ...imagesRun(child, report),
        ...fromOptionalSource(child.taskRun.status?.provenance?.refSource),
      ]),
      ...inputsOfPipelineRun(evidence, config['artifacts.pipelinerun.enable-deep-inspection']).map(
        ({ input }) => input,
      ),
    ]);
    return predicate(config, evidence.pipelineRun, {
      buildType: 'tekton.dev/v1/PipelineRun',
      invocation: invocation({
        metadata,
        specs: status?.pipelineSpec?.params,
        params: spec?.params,
        source: mergedSource(materials, status?.provenance?.refSource),
      }),
      buildConfig: {
        tasks: buildTasks(evidence, (source) => mergedSource(materials, source), report),
      },
      materials,
    });
  },
});

function fromOptionalSource(source: RefSource | undefined): readonly Digested[] {
  return source === undefined ? [] : [fromSource(source)];
}

/**
 * A source as invocations show it: with the digests that were merged into the material that was first made for it. The
 * reference implementation merges into the run's own source, so policies may expect them (payloads.md, 8.1).
 */
function mergedSource(materials: readonly Merged[], source: RefSource | undefined): RefSource | undefined {
  if (source?.digest === undefined) return source;
  const material = materials.find(({ first }) => first.digest === source.digest);
  return { ...source, digest: material?.digest ?? source.digest };
}

interface Parts {
  readonly buildType: 'tekton.dev/v1/TaskRun' | 'tekton.dev/v1/PipelineRun';
  readonly invocation: object;
  readonly buildConfig: object;
  readonly materials: readonly Digested[];
}

/** SLSA provenance v0.2 (slsa.dev/provenance/v0.2; payloads.md, 7.3). Members that are undefined are not written. */
function predicate(config: Config, { metadata, status }: TaskRun | PipelineRun, parts: Parts): object {
  const { startTime, completionTime } = status ?? {};
  return {
    builder: { id: config['builder.id'] },
    buildType: parts.buildType,
    invocation: parts.invocation,
    buildConfig: parts.buildConfig,
    metadata: {
      buildStartedOn: startTime && withShortFraction(startTime),
      buildFinishedOn: completionTime && withShortFraction(completionTime),
      completeness: { parameters: false, environment: false, materials: false },
      reproducible: metadata?.labels?.get(`${markPrefix}reproducible`) === 'true',
    },
    materials: listOrAbsent(
      parts.materials.map(({ name, digest }) => ({ uri: textOrAbsent(name), digest: textsOrAbsent(digest) })),
    ),
  };
}
