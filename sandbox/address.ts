import type { IncomingMessage } from 'node:http';
import { type Kind, kinds } from './kinds.ts';

/** Where a request is addressed to. */
export interface Address {
  readonly kind: Kind;
  readonly version: string;
  readonly namespace: string;
  readonly name: string;
  /** `status` or empty. */
  readonly subresource: string;
}

/** The key of an object: `namespace/name`, or just the name where there is no namespace. */
export function keyOf({ namespace, name }: Pick<Address, 'namespace' | 'name'>): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** What a request asks for, as faults and the request log see it. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  /** As RBAC names it: get, list, watch, create, update, patch, delete, deletecollection; discovery has none. */
  readonly verb: string;
  /** `taskruns`, `taskruns/status`; empty for discovery. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly userAgent: string;
}

const word = (name: string) => `(?<${name}>[^/]+)`;
const pattern = new RegExp(
  `^/api(?:s/${word('group')})?/${word('version')}(?:/namespaces/${word('namespace')})?` +
    `/${word('plural')}(?:/${word('name')}(?:/${word('subresource')})?)?$`,
);

/** A request's address, undefined for what is not an object or collection. */
export function addressOf(path: string): Address | undefined {
  const words = pattern.exec(path)?.groups;
  if (words === undefined) return undefined;
  const { group = '', version = '', plural = '', subresource = '' } = words;
  const [namespace, name] = [decode(words['namespace']), decode(words['name'])];
  const kind = find(group, version, plural);
  if (kind === undefined || (namespace !== '' && !kind.namespaced)) return undefined;
  // Only a list may leave out the namespace.
  if (kind.namespaced && name !== '' && namespace === '') return undefined;
  const served = subresource === '' || (subresource === 'status' && kind.custom);
  return served ? { kind, version, namespace, name, subresource } : undefined;
}

function find(group: string, version: string, plural: string): Kind | undefined {
  return kinds.find(
    (kind) => kind.group === group && kind.plural === plural && kind.versions.includes(version),
  );
}

function decode(word = ''): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

/** Describes a request. */
export function describe(
  request: IncomingMessage,
  address: Address | undefined,
  query: URLSearchParams,
): ApiRequest {
  const method = request.method ?? 'GET';
  const path = request.url ?? '/';
  const userAgent = request.headers['user-agent'] ?? '';
  if (address === undefined)
    return { method, path, verb: '', resource: '', namespace: '', name: '', userAgent };
  const { kind, namespace, name, subresource } = address;
  const watching = ['1', 'true'].includes(query.get('watch') ?? '');
  const reading = watching ? 'watch' : name === '' ? 'list' : 'get';
  const deleting = name === '' ? 'deletecollection' : 'delete';
  const verb = method === 'GET' ? reading : method === 'DELETE' ? deleting : (verbs[method] ?? '');
  const resource = subresource === '' ? kind.plural : `${kind.plural}/${subresource}`;
  return { method, path, verb, resource, namespace, name, userAgent };
}
