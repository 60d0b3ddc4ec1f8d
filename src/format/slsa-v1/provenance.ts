import type { Config } from '../../config/keys.ts';
import type { PipelineRunEvidence, TaskRunEvidence } from '../../model/evidence.ts';
import type { Report } from '../../model/problem.ts';
import type { ObjectMeta } from '../../tekton/meta.ts';
import { pipelineRunSpec } from '../../tekton/pipeline-run.ts';
import type { Provenance as RunProvenance } from '../../tekton/provenance.ts';
import { written } from '../../tekton/shape.ts';
import { taskRunSpec } from '../../tekton/task-run.ts';
import { type Time, withPaddedFraction } from '../../tekton/time.ts';
import { listOrAbsent, textOrAbsent } from '../statement.ts';
import { dependenciesOfPipelineRun, dependenciesOfTaskRun } from './dependencies.ts';
import { type Dependency, descriptor } from './dependency.ts';
import type { Dialect } from './dialect.ts';
import { externalParameters, internalParameters, isTektonBuildType } from './parameters.ts';
import type { Byproduct, ExternalParameters, Predicate } from './predicate.ts';

/** How provenance is made. */
export interface ProvenanceOptions {
  readonly config: Config;
  readonly dialect: Dialect;
  readonly report: Report;
}

/** The provenance of a TaskRun (payloads.md, 9). @throws ChainsError RUN_UNREADABLE */
export function taskRunProvenance(
  evidence: TaskRunEvidence,
  { config, dialect, report }: ProvenanceOptions,
): Predicate {
  const { metadata, spec, status = {} } = evidence.taskRun;
  const runSpec = written(taskRunSpec, spec, 'spec');
  return provenance({
    config,
    metadata,
    status,
    externalParameters: externalParameters(runSpec, spec?.taskRef?.resolver, status.provenance?.refSource),
    dependencies: dependenciesOfTaskRun(evidence, dialect.steps, report),
    byproducts: dialect.byproducts.ofTaskRun(evidence),
  });
}

/** The provenance of a PipelineRun (payloads.md, 9). @throws ChainsError RUN_UNREADABLE */
export function pipelineRunProvenance(
  evidence: PipelineRunEvidence,
  { config, dialect, report }: ProvenanceOptions,
): Predicate {
  const { metadata, spec, status = {} } = evidence.pipelineRun;
  const deep = config['artifacts.pipelinerun.enable-deep-inspection'];
  const { steps } = dialect;
  const runSpec = written(pipelineRunSpec, spec, 'spec');
  return provenance({
    config,
    metadata,
    status,
    externalParameters: externalParameters(
      runSpec,
      spec?.pipelineRef?.resolver,
      status.provenance?.refSource,
    ),
    dependencies: dependenciesOfPipelineRun(evidence, {
      steps,
      deep,
      whole: isTektonBuildType(config),
      report,
    }),
    byproducts: dialect.byproducts.ofPipelineRun(evidence, deep),
  });
}

interface Parts {
  readonly config: Config;
  readonly metadata: ObjectMeta | undefined;
  readonly status: {
    readonly provenance?: RunProvenance | undefined;
    readonly startTime?: Time | undefined;
    readonly completionTime?: Time | undefined;
  };
  readonly externalParameters: ExternalParameters;
  readonly dependencies: readonly Dependency[];
  readonly byproducts: readonly Byproduct[] | undefined;
}

function provenance({ config, metadata, status, dependencies, byproducts, ...parts }: Parts): Predicate {
  const { startTime, completionTime } = status;
  return {
    buildDefinition: {
      buildType: config['builddefinition.buildtype'],
      externalParameters: parts.externalParameters,
      internalParameters: internalParameters(metadata, status.provenance, config),
      resolvedDependencies: listOrAbsent(dependencies.map(descriptor)),
    },
    runDetails: {
      builder: { id: textOrAbsent(config['builder.id']) },
      metadata: {
        invocationId: textOrAbsent(metadata?.uid),
        startedOn: startTime && withPaddedFraction(startTime),
        finishedOn: completionTime && withPaddedFraction(completionTime),
      },
      byproducts,
    },
  };
}
