import { openConnection } from '../kubernetes/connection.ts';
import { Rest } from '../kubernetes/rest.ts';
import { ChainsError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';
import type { NewFile } from './new-files.ts';

const name = 'signing-secrets';

/** The Secret `signing-secrets` with these files. */
export function signingSecret(namespace: string, files: readonly NewFile[]): JsonObject {
  const base64 = files.map((file) => [file.name, Buffer.from(file.text).toString('base64')] as const);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'Opaque',
    data: Object.fromEntries(base64),
  };
}

/** Which cluster, and where in it. */
export interface Place {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace: string;
}

/**
 * Creates the Secret in a cluster; never changes one that is there.
 * @throws ChainsError USAGE when there is one, CONNECTION_INVALID, or CLUSTER_… with the server's reason
 */
export async function createSecret(secret: JsonObject, place: Place): Promise<void> {
  const { kubeconfig, context, namespace } = place;
  const rest = new Rest(await openConnection({ kubeconfig, context }));
  try {
    await rest.create({ group: '', version: 'v1', plural: 'secrets' }, namespace, secret);
  } catch (cause) {
    if (!(cause instanceof ChainsError && cause.status === 409)) throw cause;
    throw new ChainsError(
      'USAGE',
      `the Secret ${name} exists already in the namespace ${namespace}, and keys are never overwritten; keep a copy if the key is still needed, then delete it first: kubectl delete secret ${name} -n ${namespace}`,
      { cause },
    );
  } finally {
    await rest.close();
  }
}
