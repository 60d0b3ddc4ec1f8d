import type { Config } from '../../config/keys.ts';
import type { Json } from '../../json.ts';
import { byUtf8 } from '../../tekton/go-json.ts';
import { type PipelineRun, pipelineRunSpec } from '../../tekton/pipeline-run.ts';
import { featureFlags, type RefSource } from '../../tekton/provenance.ts';
import { map, text, written } from '../../tekton/shape.ts';
import { type TaskRun, taskRunSpec } from '../../tekton/task-run.ts';
import { withPaddedFraction } from '../../tekton/time.ts';
import { runFormat } from '../format.ts';
import { listOrAbsent, type ResourceDescriptor, textOrAbsent } from '../statement.ts';
import { allArtifacts, buildArtifacts, type SubjectScope } from '../subjects.ts';
import { type ByproductRule, byName, byRunAndName } from './byproducts.ts';
import { dependenciesOfPipelineRun, dependenciesOfTaskRun } from './dependencies.ts';

/** How the two formats with this predicate differ (payloads.md, 9). */
interface Dialect extends SubjectScope {
  readonly byproducts: ByproductRule;
}

const v2alpha3: Dialect = { rule: allArtifacts, steps: false, byproducts: byName };
const v2alpha4: Dialect = { rule: buildArtifacts, steps: true, byproducts: byRunAndName };

function dialectOf(name: string): Dialect {
  return name === 'slsa/v2alpha4' ? v2alpha4 : v2alpha3;
}

/** The formats `slsa/v2alpha3` and `slsa/v2alpha4`: SLSA provenance v1.0 in an in-toto v1 statement (payloads.md, 6 and 9). */
export const slsaV1 = runFormat({
  types: { _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://slsa.dev/provenance/v1' },
  subjects: dialectOf,
  taskRun(evidence, { config, name, report }) {
    const { steps, byproducts } = dialectOf(name);
    const { spec } = evidence.taskRun;
    return predicate(config, evidence.taskRun, {
      runSpec: written(taskRunSpec, spec, 'spec'),
      resolver: spec?.taskRef?.resolver,
      dependencies: dependenciesOfTaskRun(evidence, steps, report),
      byproducts: byproducts.ofTaskRun(evidence),
    });
  },
  pipelineRun(evidence, { config, name, report }) {
    const { steps, byproducts } = dialectOf(name);
    const { spec } = evidence.pipelineRun;
    const deep = config['artifacts.pipelinerun.enable-deep-inspection'];
    const whole = isTektonBuildType(config);
    return predicate(config, evidence.pipelineRun, {
      runSpec: written(pipelineRunSpec, spec, 'spec'),
      resolver: spec?.pipelineRef?.resolver,
      dependencies: dependenciesOfPipelineRun(evidence, { steps, deep, whole, report }),
      byproducts: byproducts.ofPipelineRun(evidence, deep),
    });
  },
});

/** Whether the configured build type is the one that includes all of Tekton. */
function isTektonBuildType(config: Config): boolean {
  return config['builddefinition.buildtype'] === 'https://tekton.dev/chains/v2/slsa-tekton';
}

interface Parts {
  readonly runSpec: Json;
  /** The resolver of the task or pipeline. */
  readonly resolver: string | undefined;
  readonly dependencies: readonly ResourceDescriptor[];
  readonly byproducts: readonly ResourceDescriptor[];
}

/** SLSA provenance v1.0 (slsa.dev/provenance/v1). Members that are undefined are not written. */
function predicate(config: Config, { metadata, status }: TaskRun | PipelineRun, parts: Parts): object {
  const { startTime, completionTime, provenance } = status ?? {};
  const texts = map(text);
  return {
    buildDefinition: {
      buildType: config['builddefinition.buildtype'],
      externalParameters: {
        runSpec: parts.runSpec,
        buildConfigSource: buildConfigSource(parts.resolver, provenance?.refSource),
      },
      internalParameters: {
        'tekton-pipelines-feature-flags':
          provenance?.featureFlags && written(featureFlags, provenance.featureFlags),
        ...(isTektonBuildType(config)
          ? { labels: texts.encode(metadata?.labels), annotations: texts.encode(metadata?.annotations) }
          : {}),
      },
      resolvedDependencies: listOrAbsent(parts.dependencies),
    },
    runDetails: {
      builder: { id: textOrAbsent(config['builder.id']) },
      metadata: {
        invocationId: textOrAbsent(metadata?.uid),
        startedOn: startTime && withPaddedFraction(startTime),
        finishedOn: completionTime && withPaddedFraction(completionTime),
      },
      byproducts: listOrAbsent(parts.byproducts),
    },
  };
}

/** Where a remote task or pipeline comes from (payloads.md, 9.3); undefined for one of the cluster. */
function buildConfigSource(resolver = '', source: RefSource | undefined): object | undefined {
  if (resolver === '' || resolver === 'Cluster' || source === undefined) return undefined;
  const { uri = '', digest = new Map<string, string>(), entryPoint = '' } = source;
  // Of several digests the first by its algorithm's name, so that the same run gives the same bytes.
  const [first] = [...digest].toSorted(([a], [b]) => byUtf8(a, b));
  return { ref: first?.join(':') ?? '', repository: uri, path: entryPoint };
}
