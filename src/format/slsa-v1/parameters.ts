import type { Config } from '../../config/keys.ts';
import type { Json } from '../../json.ts';
import type { ObjectMeta } from '../../tekton/meta.ts';
import { featureFlags, type Provenance, type RefSource } from '../../tekton/provenance.ts';
import { byUtf8 } from '../../tekton/go-json.ts';
import { map, pointer, text, written } from '../../tekton/shape.ts';
import type { ExternalParameters, InternalParameters } from './predicate.ts';

/** Whether the configured build type is the one that includes all of Tekton. */
export function isTektonBuildType(config: Config): boolean {
  return config['builddefinition.buildtype'] === 'https://tekton.dev/chains/v2/slsa-tekton';
}

/** Feature flags, and with the build type `slsa-tekton` labels and annotations (payloads.md, 9.2). */
export function internalParameters(
  metadata: ObjectMeta | undefined,
  provenance: Provenance | undefined,
  config: Config,
): InternalParameters {
  const flags = provenance?.featureFlags;
  const texts = pointer(map(text));
  return {
    'tekton-pipelines-feature-flags': flags && written(featureFlags, flags),
    ...(isTektonBuildType(config)
      ? { labels: texts.encode(metadata?.labels), annotations: texts.encode(metadata?.annotations) }
      : {}),
  };
}

/** The run's specification, and where its task or pipeline comes from if that is remote (payloads.md, 9.3). */
export function externalParameters(
  runSpec: Json,
  resolver: string | undefined,
  source: RefSource | undefined,
): ExternalParameters {
  return {
    runSpec,
    buildConfigSource: isRemote(resolver) && source !== undefined ? shown(source) : undefined,
  };
}

function isRemote(resolver = ''): boolean {
  return resolver !== '' && resolver !== 'Cluster';
}

/** Of several digests the first by its algorithm's name, so that the same run gives the same bytes. */
function shown({
  uri = '',
  digest = new Map(),
  entryPoint = '',
}: RefSource): NonNullable<ExternalParameters['buildConfigSource']> {
  const [first] = [...digest].toSorted(([a], [b]) => byUtf8(a, b));
  return { ref: first === undefined ? '' : first.join(':'), repository: uri, path: entryPoint };
}
