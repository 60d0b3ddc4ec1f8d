import type { Resource } from '../kubernetes/call.ts';
import type { Rest } from '../kubernetes/rest.ts';
import { ChainsError } from '../errors.ts';
import { at } from '../json.ts';
import { type ClusterAccess, isObjectName } from '../model/cluster-access.ts';

const reviews: Resource = { group: 'authentication.k8s.io', version: 'v1', plural: 'selfsubjectreviews' };
const serviceAccounts: Resource = { group: '', version: 'v1', plural: 'serviceaccounts' };

/** Seconds that a token lasts: the shortest that the API server gives. One is asked for with each certificate. */
const lifetime = 600;

/**
 * Gets tokens of the controller's own service account by the TokenRequest API, which its role in `deploy/keyless` lets it do
 * for itself alone. The API server says which account that is.
 */
export function readIdentityToken(rest: Rest): NonNullable<ClusterAccess['identityToken']> {
  return async (audience, signal) => {
    const account = await ownAccount(rest, signal);
    const spec = { audiences: [audience], expirationSeconds: lifetime };
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const target = { resource: serviceAccounts, subresource: 'token' };
    const token = at(await rest.createOf(target, account, request, signal), 'status', 'token');
    if (typeof token === 'string' && token !== '') return token;
    throw new ChainsError('CLUSTER_UNAVAILABLE', 'the answer to a TokenRequest holds no token');
  };
}

async function ownAccount(
  rest: Rest,
  signal: AbortSignal | undefined,
): Promise<{ readonly namespace: string; readonly name: string }> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await rest.create(reviews, '', review, signal);
  const user = at(answer, 'status', 'userInfo', 'username');
  const [, namespace, name] =
    typeof user === 'string' ? (/^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? []) : [];
  if (namespace !== undefined && name !== undefined && isObjectName(namespace) && isObjectName(name))
    return { namespace, name };
  throw new ChainsError(
    'CLUSTER_REFUSED',
    'the controller does not run as a service account, and only service accounts get identity tokens from the cluster',
  );
}
