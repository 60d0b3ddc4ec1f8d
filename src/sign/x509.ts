import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '../config/keys.ts';
import { algorithmsOf, verifies } from '../keys/algorithm.ts';
import { readCosignKey } from './cosign-key.ts';
import { signingKeyOf } from '../keys/key-id.ts';
import { readPrivateKey } from './private-key.ts';
import { invalidKey, secretFile, type Secrets } from './secrets.ts';
import type { Signer, SignerSurroundings } from './signer.ts';

const signInThread = promisify(sign);

/**
 * Opens the signer `x509` with the key in `x509.pem`, else in `cosign.key` (behaviour.md, "Signers"): ECDSA with SHA-256
 * in DER, Ed25519 over the payload itself, or RSA PKCS#1 v1.5 with SHA-256.
 * With Fulcio, a short-lived key signs instead.
 * @throws ChainsError KEY_INVALID when there is no key or one that isn't accepted
 */
export async function openX509(
  config: Config,
  secrets: Secrets,
  surroundings?: SignerSurroundings,
): Promise<Signer> {
  if (config['signers.x509.fulcio.enabled']) {
    const trust = async () => (await import('./trust.ts')).openTrustOf(config, secrets);
    const { openFulcio } = await import('./fulcio/index.ts');
    return openFulcio(config, surroundings ?? { trust, access: {}, onSigstore: () => {} });
  }
  const { privateKey, path } = await readKey(secrets);
  const publicKey = publicHalfOf(privateKey);
  const signBytes = signWith(privateKey);
  await refuseUnmatchedHalves(signBytes, publicKey, path);
  const key = signingKeyOf(publicKey);
  let signsRepeatably: Promise<typeof signBytes> | undefined;

  /** Loaded only when it is needed. */
  async function openRepeatable(): Promise<typeof signBytes> {
    return (await import('../keys/digest-signature.ts')).signRepeatably(privateKey) ?? signBytes;
  }

  return {
    async sign(message, { signal, repeatable = false } = {}) {
      signal?.throwIfAborted();
      const signNow = repeatable ? await (signsRepeatably ??= openRepeatable()) : signBytes;
      return { bytes: await signNow(message), key };
    },
    key: async () => key,
  };
}

/** Through JWK, so that a curve with explicit parameters in the file gets its name: Go, and so cosign, reads no other. */
function publicHalfOf(privateKey: KeyObject): KeyObject {
  return createPublicKey({ key: createPublicKey(privateKey).export({ format: 'jwk' }), format: 'jwk' });
}

/** The key in `x509.pem` or, if there is none, in `cosign.key`. */
async function readKey(secrets: Secrets): Promise<{ privateKey: KeyObject; path: string }> {
  const pkcs8 = secretFile(secrets, 'x509.pem');
  if (pkcs8 !== undefined) {
    const path = join(secrets.folder, 'x509.pem');
    return { privateKey: readPrivateKey(pkcs8, path), path };
  }
  const cosign = secretFile(secrets, 'cosign.key');
  if (cosign !== undefined) {
    return { privateKey: await readCosignKey(cosign, secrets), path: join(secrets.folder, 'cosign.key') };
  }
  const where = secrets.missing ?? 'has no `x509.pem` and no `cosign.key`';
  throw invalidKey(
    `the folder of the signing key, ${secrets.folder}, ${where}: create the Secret with ` +
      '`kubectl create secret generic signing-secrets -n tekton-chains --from-file=x509.pem`, or key and Secret with `chains keygen --type ecdsa --secret | kubectl apply -f -`',
  );
}

/**
 * P-256 and Ed25519 take 20–30 µs, and handing the work to the thread pool costs as much again. The others take half a
 * millisecond and more, which must not block the event loop.
 */
function signWith(privateKey: KeyObject): (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array> {
  const digest = algorithmsOf(privateKey)[0]?.digest;
  const quick = digest === undefined || privateKey.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return quick
    ? (bytes) => sign(digest, bytes, privateKey)
    : (bytes) => signInThread(digest, bytes, privateKey);
}

/** A PKCS#8 file may hold the public key too, and nothing ensures that the two belong together. */
async function refuseUnmatchedHalves(
  signBytes: ReturnType<typeof signWith>,
  publicKey: KeyObject,
  path: string,
): Promise<void> {
  const probe = Buffer.from('probe');
  const [algorithm] = algorithmsOf(publicKey);
  if (algorithm !== undefined && verifies(algorithm, publicKey, probe, await signBytes(probe))) return;
  throw invalidKey(
    `${path}: the private key does not belong to the public key in the same file; make a new one with \`chains keygen --type ecdsa\``,
  );
}
