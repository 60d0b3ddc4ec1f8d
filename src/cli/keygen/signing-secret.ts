import { at, type JsonObject, member } from '../../json.ts';
import { ChainsError } from '../../errors.ts';
import { type ConnectionOptions, withCluster } from '../input/cluster.ts';
import type { KeyFile } from './new-keys.ts';
import { usageError } from '../usage-error.ts';

const name = 'signing-secrets';
const secrets = { group: '', version: 'v1', plural: 'secrets' };

/** The Secret `signing-secrets` with these files. */
export function signingSecret(namespace: string, files: readonly KeyFile[]): JsonObject {
  const data = files.map((file) => [file.name, Buffer.from(file.text).toString('base64')] as const);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'Opaque',
    data: Object.fromEntries(data),
  };
}

/**
 * Creates the Secret in a cluster, or fills one without data, as `deploy/` has it; never changes one that holds anything.
 * @throws ChainsError USAGE when there is one with data, CONNECTION_INVALID, or CLUSTER_… with the server's reason
 */
export async function createSecret(
  secret: JsonObject,
  namespace: string,
  cluster: ConnectionOptions,
): Promise<void> {
  await withCluster(cluster, async (rest) => {
    try {
      await rest.create(secrets, namespace, secret);
      return;
    } catch (cause) {
      if (!(cause instanceof ChainsError && cause.status === 409)) throw cause;
    }
    const there = await rest.get(secrets, { namespace, name });
    if (Object.keys(member(there, 'data') ?? {}).length > 0) {
      throw usageError(
        `the Secret ${name} in the namespace ${namespace} holds something already, and keys are never overwritten; keep a copy if the key is still needed, then delete it first: kubectl delete secret ${name} -n ${namespace}`,
      );
    }
    // With the version of the empty Secret, so that a key that was added in between is not overwritten.
    const resourceVersion = at(there, 'metadata', 'resourceVersion');
    const body = { metadata: { resourceVersion }, data: member(secret, 'data') };
    await rest.mergePatch(secrets, { namespace, name }, body);
  });
}
