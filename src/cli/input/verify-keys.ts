import { createPublicKey } from 'node:crypto';
import { ChainsError } from '../../errors.ts';
import { at, type JsonObject, member } from '../../json.ts';
import { readPublicKey, type VerificationKey } from '../../verify/index.ts';
import { type ConnectionOptions, getOrNone, withCluster } from './cluster.ts';
import { readBytes } from './documents.ts';
import { usageError } from '../usage-error.ts';

/**
 * The key to verify with that an argument of `--key` names: a file with a public key, a certificate or a PGP public key; the
 * reference of a key in a KMS; `k8s://NAMESPACE/SECRET`.
 * @param config `data` of a ConfigMap `chains-config`, for how to reach a KMS
 * @throws ChainsError USAGE, KEY_INVALID, or what the cluster or the KMS answers
 */
export async function readKey(
  argument: string,
  cluster: ConnectionOptions,
  config: JsonObject,
): Promise<VerificationKey> {
  if (argument.startsWith('k8s://')) return secretKey(argument, cluster);
  if (/^[a-z]+:\/\//.test(argument)) {
    return (await import('../../verify/kms-key.ts')).kmsKey(argument, config);
  }
  const text = (await readBytes(argument, `the key ${argument}`)).toString('utf8');
  try {
    return await readPublicKey(text);
  } catch (error) {
    if (!(error instanceof ChainsError)) throw error;
    throw new ChainsError(error.code, `${argument}: ${error.message}`, { cause: error });
  }
}

const secrets = { group: '', version: 'v1', plural: 'secrets' };

async function secretKey(argument: string, options: ConnectionOptions): Promise<VerificationKey> {
  const [, namespace, name] = /^k8s:\/\/([^/]+)\/([^/]+)$/.exec(argument) ?? [];
  if (namespace === undefined || name === undefined) {
    throw usageError(`${argument} is not a Secret: write k8s://NAMESPACE/SECRET`);
  }
  return withCluster(options, async (rest) => {
    const secret = await getOrNone(rest, secrets, { namespace, name });
    if (secret !== undefined) return readPublicKey(publicPart(argument, secret));
    throw usageError(`there is no Secret ${name} in the namespace ${namespace}`);
  });
}

/** The members of a Secret that hold a public key, in the order in which they are tried. */
const publicNames = ['cosign.pub', 'x509.pub', 'pgp.public-key', 'tls.crt'];

function publicPart(argument: string, secret: JsonObject): string {
  const found = publicNames.map((key) => decoded(secret, key)).find((text) => text !== undefined);
  if (found !== undefined) return found;
  const invalid = (why: string) =>
    new ChainsError('KEY_INVALID', `${argument} holds no public key (${publicNames.join(', ')}), ${why}`);
  const privateKey = decoded(secret, 'x509.pem');
  if (privateKey === undefined) {
    const names = Object.keys(member(secret, 'data') ?? {}).join(', ');
    throw invalid(`but ${names === '' ? 'nothing' : names}`);
  }
  try {
    return createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString();
  } catch {
    // The reason may quote the key.
    throw invalid("and its x509.pem can't be read without a password, or is damaged");
  }
}

function decoded(secret: JsonObject, key: string): string | undefined {
  const text = at(secret, 'data', key);
  return typeof text === 'string' ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}
