import { ChainsError } from '../errors.ts';
import { at, type JsonObject, textIn } from '../json.ts';
import type { ObjectName, Resource } from '../kubernetes/call.ts';
import { type Rest, unlessMissing } from '../kubernetes/rest.ts';

/** The plurals of the kinds in `deploy/`. */
const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  ConfigMap: 'configmaps',
  Secret: 'secrets',
  NetworkPolicy: 'networkpolicies',
  Deployment: 'deployments',
  Service: 'services',
  PodDisruptionBudget: 'poddisruptionbudgets',
};

/** Where the API has an object. */
export function placeOf(object: JsonObject): { readonly resource: Resource; readonly name: ObjectName } {
  const kind = textIn(at(object, 'kind'));
  const plural = plurals[kind];
  if (plural === undefined)
    throw new ChainsError('UNEXPECTED', `deploy/ holds an object of the unknown kind ${kind}`);
  const [version = '', group = ''] = textIn(at(object, 'apiVersion')).split('/').toReversed();
  const namespace = textIn(at(object, 'metadata', 'namespace'));
  return {
    resource: { group, version, plural },
    name: { namespace, name: textIn(at(object, 'metadata', 'name')) },
  };
}

/** `ConfigMap chains-config`. */
export function titleOf(object: JsonObject): string {
  return `${textIn(at(object, 'kind'))} ${textIn(at(object, 'metadata', 'name'))}`;
}

/** The object as the cluster has it; undefined where it has none. */
export async function currentOf(rest: Rest, object: JsonObject): Promise<JsonObject | undefined> {
  const { resource, name } = placeOf(object);
  return unlessMissing(rest.get(resource, name));
}
