import { openConnection } from '../../kubernetes/connection.ts';
import { Rest } from '../../kubernetes/rest.ts';
import { ChainsError } from '../../errors.ts';
import { at, type JsonObject, member } from '../../json.ts';
import type { NewFile } from './new-files.ts';

const name = 'signing-secrets';
const secrets = { group: '', version: 'v1', plural: 'secrets' };

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
export interface SecretPlace {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace: string;
}

/**
 * Creates the Secret in a cluster, or fills one without data, as `deploy/` has it; never changes one that holds anything.
 * @throws ChainsError USAGE when there is one with data, CONNECTION_INVALID, or CLUSTER_… with the server's reason
 */
export async function createSecret(secret: JsonObject, place: SecretPlace): Promise<void> {
  const { kubeconfig, context, namespace } = place;
  const rest = new Rest(await openConnection({ kubeconfig, context }));
  try {
    await rest.create(secrets, namespace, secret);
  } catch (cause) {
    if (!(cause instanceof ChainsError && cause.status === 409)) throw cause;
    await fill(rest, secret, namespace);
  } finally {
    await rest.close();
  }
}

async function fill(rest: Rest, secret: JsonObject, namespace: string): Promise<void> {
  const there = await rest.get(secrets, { namespace, name });
  if (Object.keys(member(there, 'data') ?? {}).length > 0) {
    throw new ChainsError(
      'USAGE',
      `the Secret ${name} in the namespace ${namespace} holds something already, and keys are never overwritten; keep a copy if the key is still needed, then delete it first: kubectl delete secret ${name} -n ${namespace}`,
    );
  }
  // Naming the version that was empty, so that a key that comes in between stays.
  const resourceVersion = at(there, 'metadata', 'resourceVersion');
  const body = { metadata: { resourceVersion }, data: member(secret, 'data') };
  await rest.mergePatch(secrets, { namespace, name }, body);
}
