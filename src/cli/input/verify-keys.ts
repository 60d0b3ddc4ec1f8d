import { readFile } from 'node:fs/promises';
import { createPublicKey } from 'node:crypto';
import { openConnection } from '../../kubernetes/connection.ts';
import { isNotFound, Rest } from '../../kubernetes/rest.ts';
import { ChainsError, reasonOf } from '../../errors.ts';
import { at, type JsonObject, member } from '../../json.ts';
import type { VerificationKey } from '../../verify/key.ts';
import { kmsKey, readPublicKey } from '../../verify/public-key.ts';

/** Where keys may have to be asked for. */
export interface KeyOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** `data` of a ConfigMap `chains-config`, for how to reach a KMS. */
  readonly config: JsonObject;
}

/**
 * The key to verify with that an argument of `--key` names: a file with a public key, a certificate or a PGP public key; the
 * reference of a key in a KMS; `k8s://NAMESPACE/SECRET`.
 * @throws ChainsError USAGE, KEY_INVALID, or what the cluster or the KMS answers
 */
export async function readKey(argument: string, options: KeyOptions): Promise<VerificationKey> {
  if (argument.startsWith('k8s://')) return secretKey(argument, options);
  if (/^[a-z]+:\/\//.test(argument)) {
    return kmsKey(argument, options.config);
  }
  const text = await readFile(argument, 'utf8').catch((cause: unknown) => {
    throw new ChainsError('USAGE', `the key ${argument} can't be read: ${reasonOf(cause)}`, { cause });
  });
  try {
    return await readPublicKey(text);
  } catch (error) {
    if (!(error instanceof ChainsError)) throw error;
    throw new ChainsError(error.code, `${argument}: ${error.message}`, { cause: error });
  }
}

/** The members of a Secret that hold a public key, the first that is there counts. */
const publicNames = ['cosign.pub', 'x509.pub', 'pgp.public-key', 'tls.crt'];

async function secretKey(argument: string, { kubeconfig, context }: KeyOptions): Promise<VerificationKey> {
  const [, namespace, name] = /^k8s:\/\/([^/]+)\/([^/]+)$/.exec(argument) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new ChainsError('USAGE', `${argument} is not a Secret: write k8s://NAMESPACE/SECRET`);
  }
  const rest = new Rest(await openConnection({ kubeconfig, context }));
  try {
    const secret = await rest.get({ group: '', version: 'v1', plural: 'secrets' }, { namespace, name });
    return await readPublicKey(publicPart(argument, secret));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new ChainsError('USAGE', `there is no Secret ${name} in the namespace ${namespace}`, {
      cause: error,
    });
  } finally {
    await rest.close();
  }
}

function publicPart(argument: string, secret: JsonObject): string {
  const found = publicNames.map((key) => decoded(secret, key)).find((text) => text !== undefined);
  if (found !== undefined) return found;
  const privateKey = decoded(secret, 'x509.pem');
  if (privateKey !== undefined) return publicHalf(privateKey, argument);
  const held = Object.keys(member(secret, 'data') ?? {}).join(', ');
  throw new ChainsError(
    'KEY_INVALID',
    `${argument} holds no public key (${publicNames.join(', ')}), but ${held === '' ? 'nothing' : held}`,
  );
}

function publicHalf(privateKey: string, argument: string): string {
  try {
    return createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString();
  } catch {
    // Its reason may quote the key.
    throw new ChainsError(
      'KEY_INVALID',
      `${argument} holds no public key (${publicNames.join(', ')}), and its x509.pem can't be read without a password, or is damaged`,
    );
  }
}

function decoded(secret: JsonObject, key: string): string | undefined {
  const text = at(secret, 'data', key);
  return typeof text === 'string' ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}
