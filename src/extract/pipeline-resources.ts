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

/** What a status says of PipelineResources. */
export type Resources = Struct<typeof resourceFields>;

/** A kind of resource: the keys that it needs. */
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
 * The images among the PipelineResources of v1beta1 that a task declares as outputs (payloads.md, 13); one without any
 * value was not built, one with half of them is a problem. Read whatever apiVersion the object shows.
 */
export function imageResourcesOf(status: Resources, report: Report): readonly NamedImage[] {
  return resourcesOf(status, 'output', report)
    .filter(({ type }) => type === 'image')
    .flatMap(({ url, version, at, versionAt, name }) =>
      imageOf({ uri: url, digest: version, at, digestAt: versionAt, names: name }, { report }),
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
  readonly value: string;
  readonly at: string;
}

type ResourceValues = ReadonlyMap<string, ResourceValue>;

/** `status.resourcesResult` by resource and key; the last value of a key wins. */
function valuesByResource({ resourcesResult = [] }: Resources): ReadonlyMap<string, ResourceValues> {
  const byName = new Map<string, Map<string, ResourceValue>>();
  for (const [index, { key = '', value = '', resourceName = '' }] of resourcesResult.entries()) {
    const values = byName.get(resourceName) ?? new Map<string, ResourceValue>();
    values.set(key, { value, at: `status.resourcesResult[${index}]` });
    byName.set(resourceName, values);
  }
  return byName;
}

function complete(
  { name, type }: Pick<FoundResource, 'name' | 'type'>,
  values: ResourceValues = new Map(),
  report: Report,
): readonly FoundResource[] {
  const [first, second] = needed[type];
  const [url, version] = [values.get(first), values.get(second)];
  const given = url ?? version;
  if (given === undefined) return [];
  const missing = needed[type].filter((key) => (values.get(key)?.value ?? '') === '');
  if (url !== undefined && version !== undefined && missing.length === 0) {
    return [{ name, type, url: url.value, version: version.value, at: url.at, versionAt: version.at }];
  }
  const lacks = missing.join(' and no ');
  report(
    given.at,
    `${name} has no ${lacks} in status.resourcesResult; it needs both, a ${first} and a ${second}`,
  );
  return [];
}
