import type { JsonObject } from '../src/json.ts';
import { type Kind, kinds } from './kinds.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const statusVerbs = ['get', 'patch', 'update'];
const groups = [...new Set(kinds.map((kind) => kind.group))];
const kindsOf = (group: string, version: string) =>
  kinds.filter((kind) => kind.group === group && kind.versions.includes(version));
const versionsOf = (group: string) => [
  ...new Set(kinds.filter((kind) => kind.group === group).flatMap((kind) => kind.versions)),
];
const groupVersion = (group: string, version: string) => (group === '' ? version : `${group}/${version}`);
const folder = (group: string, version: string) =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`;

/** What the server says about itself at a path: version, groups, resources, OpenAPI. Undefined for any other path. */
export function discover(path: string, prefix: string): JsonObject | string | undefined {
  if (path === '/version')
    return { major: '1', minor: '36', gitVersion: 'v1.36.0-sandbox', platform: 'sandbox' };
  if (['/healthz', '/livez', '/readyz'].includes(path)) return 'ok';
  if (path === '/api') return { kind: 'APIVersions', versions: versionsOf('') };
  if (path === '/apis') {
    const named = groups.filter((group) => group !== '');
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map((group) => groupOf(group)) };
  }
  if (path === '/openapi/v3') {
    const folders = groups.flatMap((group) => versionsOf(group).map((version) => folder(group, version)));
    return {
      paths: Object.fromEntries(
        folders.map((name) => [name, { serverRelativeURL: `${prefix}/openapi/v3/${name}` }]),
      ),
    };
  }
  for (const group of groups) {
    if (group !== '' && path === `/apis/${group}`)
      return { ...groupOf(group), kind: 'APIGroup', apiVersion: 'v1' };
    for (const version of versionsOf(group)) {
      if (path === `/${folder(group, version)}`) return resources(group, version);
      if (path === `/openapi/v3/${folder(group, version)}`) return openApi(group, version);
    }
  }
  return undefined;
}

function groupOf(name: string): JsonObject {
  const versions = versionsOf(name).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resources(group: string, version: string): JsonObject {
  const list = kindsOf(group, version).flatMap((kind) => {
    const { plural, namespaced, shortNames } = kind;
    const shared = { namespaced, kind: kind.kind };
    const status = { ...shared, name: `${plural}/status`, singularName: '', verbs: statusVerbs };
    const singularName = kind.kind.toLowerCase();
    return [{ ...shared, name: plural, singularName, verbs, shortNames }, ...(kind.custom ? [status] : [])];
  });
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupVersion(group, version),
    resources: list,
  };
}

/** As much OpenAPI as makes kubectl leave validation to the server: that each kind's PATCH takes `fieldValidation`. */
function openApi(group: string, version: string): JsonObject {
  const served = kindsOf(group, version);
  const identity = (kind: Kind) => ({
    'x-kubernetes-group-version-kind': { group, version, kind: kind.kind },
  });
  const paths = served.map((kind) => {
    const parameters = ['fieldManager', 'fieldValidation', 'dryRun', 'force'].map((name) => {
      return { name, in: 'query', schema: { type: 'string' } };
    });
    const place = kind.namespaced ? 'namespaces/{namespace}/' : '';
    const patch = { ...identity(kind), parameters, responses: { 200: { description: 'OK' } } };
    return [`/${folder(group, version)}/${place}${kind.plural}/{name}`, { patch }] as const;
  });
  return {
    ...{ openapi: '3.0.0', info: { title: 'sandbox', version: 'v1' } },
    paths: Object.fromEntries(paths),
  };
}
