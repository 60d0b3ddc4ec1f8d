import type { ResourceInput } from '../model/evidence.ts';
import type { NamedImage } from '../model/image.ts';
import type { Report } from '../model/problem.ts';
import { list, type Struct, struct, text } from '../tekton/shape.ts';
import { parseImageDigest } from './digest.ts';
import { imageOf } from './images.ts';
import { quote } from '../text.ts';

const declared = struct({ name: text, type: text });

/** The fields of a TaskRun's status that hold PipelineResources, which v1 no longer has. */
export const resourceFields = {
  taskSpec: struct({ resources: struct({ inputs: list(declared), outputs: list(declared) }) }),
  resourcesResult: list(struct({ key: text, value: text, resourceName: text })),
};

/** The PipelineResources in a status. */
export type Resources = Struct<typeof resourceFields>;

/** The keys that a resource of each type needs. */
const needed = { image: ['url', 'digest'], git: ['url', 'commit'] } as const;

interface FoundResource {
  /** What it is, for messages: `the output "app" of type image`. */
  readonly name: string;
  readonly type: 'image' | 'git';
  readonly url: string;
  /** The image's digest, or the commit. */
  readonly version: string;
  readonly at: string;
  readonly versionAt: string;
}

/**
 * The images among the PipelineResources of v1beta1 that a task declares as outputs, whatever apiVersion the object shows
 * (payloads.md, 13). One without values was not built; one with only half of them is reported.
 */
export function imageResourcesOf(status: Resources, report: Report): readonly NamedImage[] {
  return resourcesOf(status, 'output', report)
    .filter(({ type }) => type === 'image')
    .flatMap(({ url, version, at, versionAt, name }) =>
      imageOf(
        { uri: url, digest: version, at, digestAt: versionAt, names: name },
        { report, asWritten: false },
      ),
    );
}

/** The git and image resources that a task takes in. */
export function resourceInputsOf(status: Resources, report: Report): readonly ResourceInput[] {
  return resourcesOf(status, 'input', report).flatMap(
    ({ type, url, version, versionAt, name }): readonly ResourceInput[] => {
      if (type === 'git') return [{ type, url, commit: version }];
      const digest = parseImageDigest(version);
      if (digest.ok) return [{ type, url, hex: digest.value.slice('sha256:'.length) }];
      report(`${versionAt}.value`, `${name}: no material, as the digest ${digest.wrong}`);
      return [];
    },
  );
}

function resourcesOf(status: Resources, side: 'input' | 'output', report: Report): readonly FoundResource[] {
  const values = valuesByResource(status);
  return (status.taskSpec?.resources?.[`${side}s` as const] ?? []).flatMap(({ name = '', type = '' }) =>
    type === 'image' || type === 'git'
      ? complete({ name: `the ${side} ${quote(name)} of type ${type}`, type }, values.get(name), report)
      : [],
  );
}

interface ResourceValue {
  readonly key: string;
  readonly value: string;
  readonly at: string;
}

/** The resources of `status.resourcesResult` by name. */
function valuesByResource({
  resourcesResult = [],
}: Resources): ReadonlyMap<string, readonly ResourceValue[]> {
  const values = resourcesResult.map(({ key = '', value = '', resourceName = '' }, index) => ({
    key,
    value,
    resourceName,
    at: `status.resourcesResult[${index}]`,
  }));
  return Map.groupBy(values, ({ resourceName }) => resourceName);
}

function complete(
  { name, type }: Pick<FoundResource, 'name' | 'type'>,
  values: readonly ResourceValue[] = [],
  report: Report,
): readonly FoundResource[] {
  const [first, second] = needed[type];
  // The last value of a key wins.
  const last = (wanted: string) => values.findLast(({ key }) => key === wanted);
  const [url, version] = [last(first), last(second)];
  const given = url ?? version;
  if (given === undefined) return [];
  const missing = needed[type].filter((key) => (last(key)?.value ?? '') === '');
  if (url !== undefined && version !== undefined && missing.length === 0)
    return [{ name, type, url: url.value, version: version.value, at: url.at, versionAt: version.at }];
  const lacks = missing.join(' and no ');
  report(
    given.at,
    `${name} has no ${lacks} in status.resourcesResult; it needs both, a ${first} and a ${second}`,
  );
  return [];
}
