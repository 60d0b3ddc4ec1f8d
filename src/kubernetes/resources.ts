/** A kind of object, as the API's paths name it. */
export interface Resource {
  /** API group; empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case plural, e.g. `taskruns`. */
  readonly plural: string;
}

/** Which object of a resource; the namespace is empty for cluster-scoped ones. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** `plural.group`, as kubectl and the server's messages write it; just the plural in the core group. */
export function resourceName(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** The URL path of a group (and version): `/api…` for the core group, `/apis/…` for all others. */
export function groupPath(group: string, version?: string): string {
  const root = group === '' ? '/api' : `/apis/${encodeURIComponent(group)}`;
  return version === undefined ? root : `${root}/${encodeURIComponent(version)}`;
}

/** The URL path of a resource in one namespace, or in all (and of cluster-scoped ones) when that is empty; of one object with a name. */
export function resourcePath(resource: Resource, namespace = '', name?: string): string {
  const parts = [
    ...(namespace === '' ? [] : ['namespaces', namespace]),
    resource.plural,
    ...(name === undefined ? [] : [name]),
  ];
  return [groupPath(resource.group, resource.version), ...parts.map(encodeURIComponent)].join('/');
}
