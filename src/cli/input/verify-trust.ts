import { createPublicKey } from 'node:crypto';
import { ChainsError } from '../../errors.ts';
import { at, type JsonObject, member } from '../../json.ts';
import type { IdentityPolicy } from '../../sigstore/identity-policy.ts';
import type { TrustedRoot } from '../../sigstore/trusted-root.ts';
import type { EvidenceOptions } from '../../verify/evidence.ts';
import type { VerificationKey } from '../../verify/key.ts';
import { kmsKey, readPublicKey } from '../../verify/public-key.ts';
import { showing } from '../terminal/progress.ts';
import { usageError } from '../usage-error.ts';
import { unlessMissing } from '../../kubernetes/rest.ts';
import { type ConnectionOptions, withCluster } from './cluster.ts';
import { readBytes } from './documents.ts';

/** The options for the keys or the identity that must have signed, and for what proves it, as parsed. */
export interface TrustArguments extends ConnectionOptions, IdentityPolicy {
  readonly key: readonly string[];
  readonly trustedRoot?: string;
  readonly tufMirror?: string;
  readonly tufRoot?: string;
  readonly requireLog?: boolean;
  readonly requireTimestamp?: boolean;
  readonly offline?: boolean;
}

/** What evidence must prove, and the trusted root for it, which is read when it is needed. @throws ChainsError USAGE */
export async function readTrust(options: TrustArguments): Promise<EvidenceOptions> {
  const { trustedRoot, tufMirror, tufRoot } = options;
  if (trustedRoot !== undefined && tufMirror !== undefined)
    throw usageError('give either --trusted-root or --tuf-mirror');
  if (tufRoot !== undefined && tufMirror === undefined) throw usageError('--tuf-root needs --tuf-mirror');
  let root: Promise<TrustedRoot> | undefined;
  return {
    root: () => (root ??= readRoot(options)),
    isRootGiven: trustedRoot !== undefined || tufMirror !== undefined,
    identity: asksForIdentity(options)
      ? (await import('../../sigstore/identity-policy.ts')).identityJudge(options)
      : undefined,
    requireLog: options.requireLog === true,
    requireTimestamp: options.requireTimestamp === true,
    mayAsk: options.offline !== true,
  };
}

/** Whether the identity in a certificate is demanded, so that there is no key. */
function asksForIdentity(options: IdentityPolicy): boolean {
  return (
    options.certificateIdentity !== undefined ||
    options.certificateIdentityRegexp !== undefined ||
    options.certificateOidcIssuer !== undefined ||
    options.certificateOidcIssuerRegexp !== undefined
  );
}

async function readRoot({ trustedRoot, tufMirror, tufRoot }: TrustArguments): Promise<TrustedRoot> {
  if (trustedRoot !== undefined) {
    const { parseTrustedRoot } = await import('../../sigstore/trusted-root.ts');
    const bytes = await readBytes(trustedRoot, `--trusted-root ${trustedRoot}`);
    return parseTrustedRoot(bytes.toString('utf8'), trustedRoot);
  }
  if (tufMirror === undefined) return (await import('../../sigstore/trust.ts')).shippedTrustedRoot();
  const { openTuf } = await import('../../sigstore/tuf.ts');
  const root = tufRoot === undefined ? undefined : await readBytes(tufRoot, `--tuf-root ${tufRoot}`);
  const tuf = openTuf({ mirror: tufMirror, root });
  try {
    return await tuf.current();
  } finally {
    await tuf.close();
  }
}

/**
 * The keys of `--key`; none where the identity in a certificate is demanded.
 * @param config `data` of a ConfigMap `chains-config`, for how to reach a KMS
 * @throws ChainsError USAGE, KEY_INVALID
 */
export async function readKeys(
  options: TrustArguments,
  config: JsonObject,
): Promise<readonly VerificationKey[]> {
  if (asksForIdentity(options)) {
    if (options.key.length === 0) return [];
    throw usageError('give either --key or the identity of a certificate');
  }
  if (options.key.length === 0) {
    throw usageError(
      "verify needs --key: a public key's file, the reference of a key in a KMS, or k8s://NAMESPACE/SECRET; or, for keyless signatures, --certificate-identity and --certificate-oidc-issuer",
    );
  }
  return showing('reading the keys', () =>
    Promise.all(options.key.map((argument) => readKey(argument, options, config))),
  );
}

/**
 * The key to verify with that an argument of `--key` names: a file with a public key, a certificate or a PGP public key; the
 * reference of a key in a KMS; `k8s://NAMESPACE/SECRET`.
 * @throws ChainsError USAGE, KEY_INVALID, or what the cluster or the KMS answers
 */
async function readKey(
  argument: string,
  cluster: ConnectionOptions,
  config: JsonObject,
): Promise<VerificationKey> {
  if (argument.startsWith('k8s://')) return secretKey(argument, cluster);
  if (/^[a-z]+:\/\//.test(argument)) return kmsKey(argument, config);
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
    const secret = await unlessMissing(rest.get(secrets, { namespace, name }));
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
