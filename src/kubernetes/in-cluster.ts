import { join } from 'node:path';
import { bearer, checkCa, invalid, readText } from './material.ts';
import { proxyFor } from '../http/proxy.ts';
import { readServer, type ClusterTarget } from './target.ts';

/** Where a pod finds its service account. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The cluster that this pod runs in, as its service account.
 * @throws ChainsError CONNECTION_INVALID when this is not a pod, or a pod without a service account
 */
export async function inClusterTarget(
  folder: string,
  environment: NodeJS.ProcessEnv,
  now: () => number,
): Promise<ClusterTarget> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) {
    throw invalid(
      'no cluster',
      'there is no kubeconfig and this is not a pod; give --kubeconfig or set KUBECONFIG',
    );
  }
  const [token, ca, namespace] = ['token', 'ca.crt', 'namespace'].map((name) => join(folder, name));
  const read = (path = '') => readText(path, 'service account of this pod');
  const server = readServer(
    `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    'KUBERNETES_SERVICE_HOST',
  );
  return {
    server,
    namespace: (await read(namespace)).trim(),
    proxy: proxyFor(new URL(server), environment),
    serverName: undefined,
    insecure: false,
    ca: async () => checkCa(await read(ca), ca ?? '', now()),
    identity: async () => ({ authorization: bearer(await read(token), token ?? '') }),
  };
}
