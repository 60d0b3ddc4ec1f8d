import type { JsonObject } from '../json.ts';

/** One request to the API, before it is made. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly verb: string;
  readonly resource: string;
  /** What the call is about, for messages. */
  readonly about: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: JsonObject;
  readonly contentType?: string;
  readonly accept?: string;
  /** No limit on the time between two pieces of the answer. */
  readonly endless?: boolean;
  readonly signal?: AbortSignal | undefined;
}

type CallTarget = Pick<ApiRequest, 'method' | 'verb' | 'resource' | 'about' | 'path'>;

/** A call about one object. */
export function one(
  method: ApiRequest['method'],
  verb: string,
  resource: Resource,
  name: ObjectName,
): CallTarget {
  const about = name.namespace === '' ? name.name : `${name.namespace}/${name.name}`;
  const path = resourcePath(resource, name.namespace, name.name);
  return {
    method,
    verb,
    resource: resourceName(resource),
    about: `${resourceName(resource)} ${about}`,
    path,
  };
}

/** A call about all objects of a namespace, or of all namespaces. */
export function several(
  method: ApiRequest['method'],
  verb: string,
  resource: Resource,
  namespace = '',
): CallTarget {
  const about = namespace === '' ? '' : ` in ${namespace}`;
  const path = resourcePath(resource, namespace);
  return { method, verb, resource: resourceName(resource), about: `${resourceName(resource)}${about}`, path };
}

/** The call in words, for messages. */
export function describe(call: ApiRequest): string {
  return `${call.verb} ${call.about}`;
}

/** The query with its question mark; empty when nothing is asked for. */
export function queryString(query: ApiRequest['query'] = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

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
