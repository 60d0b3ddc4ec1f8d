import type { ResourceInput } from '../model/evidence.ts';
import type { NamedImage } from '../model/image.ts';
import type { Report } from '../model/problem.ts';
import { list, type Struct, struct, text } from '../tekton/shape.ts';
import { parseImageDigest } from './digest.ts';
import { imageOf } from './images.ts';
import type { Hint } from './results.ts';
import { quote } from '../text.ts';

const declared = struct({ name: text, type: text });

/** The fields of a TaskRun's status that hold PipelineResources, which v1 no longer has. */
export const resourceFields = {
  taskSpec: struct({ resources: struct({ inputs: list(declared), outputs: list(declared) }) }),
  resourcesResult: list(struct({ key: text, value: text, resourceName: text })),
};

/** The PipelineResources in a status. */
export type Resources = Struct<typeof resourceFields>;

/** A resource: its URL, and the image's digest or the commit as digest. */
type Resource = Hint & { readonly type: 'image' | 'git' };

/**
 * The images among the PipelineResources of v1beta1 that a task declares as outputs, whatever apiVersion the object shows
 * (payloads.md, 13). One without values was not built; one with only half of them is reported.
 */
export function imageResourcesOf(status: Resources, report: Report): readonly NamedImage[] {
  return resourcesOf(status, 'output', report)
    .filter(({ type }) => type === 'image')
    .flatMap((resource) => imageOf(resource, { report, asWritten: false }));
}

/** The git and image resources that a task takes in. */
export function resourceInputsOf(status: Resources, report: Report): readonly ResourceInput[] {
  return resourcesOf(status, 'input', report).flatMap((resource): readonly ResourceInput[] => {
    const { type, uri: url, digest: version, digestAt, names } = resource;
    if (type === 'git') return [{ type, url, commit: version }];
    const digest = parseImageDigest(version);
    if (digest.ok) return [{ type, url, hex: digest.value.slice('sha256:'.length) }];
    report(`${digestAt}.value`, `${names}: no material, as the digest ${digest.wrong}`);
    return [];
  });
}

function resourcesOf(status: Resources, side: 'input' | 'output', report: Report): readonly Resource[] {
  const identity = (resource: string, key: string) => JSON.stringify([resource, key]);
  // The last value of a key wins.
  const values = new Map(
    (status.resourcesResult ?? []).map(({ key = '', value = '', resourceName = '' }, index) => [
      identity(resourceName, key),
      { value, at: `status.resourcesResult[${index}]` },
    ]),
  );
  const declarations = status.taskSpec?.resources?.[`${side}s` as const] ?? [];
  return declarations.flatMap(({ name = '', type }) => {
    if (type !== 'image' && type !== 'git') return [];
    const versionKey = type === 'image' ? 'digest' : 'commit';
    const [url, version] = [values.get(identity(name, 'url')), values.get(identity(name, versionKey))];
    const given = url ?? version;
    if (given === undefined) return [];
    const names = `the ${side} ${quote(name)} of type ${type}`;
    if (url?.value && version?.value)
      return [{ type, uri: url.value, digest: version.value, at: url.at, digestAt: version.at, names }];
    const missing = [url?.value ? [] : 'url', version?.value ? [] : versionKey].flat().join(' and no ');
    const advice = `it needs both, a url and a ${versionKey}`;
    report(given.at, `${names} has no ${missing} in status.resourcesResult; ${advice}`);
    return [];
  });
}
