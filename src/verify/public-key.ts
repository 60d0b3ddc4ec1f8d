import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { parseConfig } from '../config/parse.ts';
import { ChainsError } from '../errors.ts';
import { acceptedKinds, algorithmsOf, kindOf, verifies } from '../keys/algorithm.ts';
import { keyIdOf } from '../keys/key-id.ts';
import { pemLabels } from '../keys/pem.ts';
import { invalid, type VerificationKey } from './key.ts';

/** How the key in a block of each label is read. */
const readers: Readonly<Record<string, (text: string) => VerificationKey | Promise<VerificationKey>>> = {
  'PUBLIC KEY': (pem) => plainKey(exactKey(pem, 'spki')),
  'RSA PUBLIC KEY': (pem) => plainKey(exactKey(pem, 'pkcs1')),
  CERTIFICATE: (pem) => certificateKey(new X509Certificate(pem)),
  'PGP PUBLIC KEY BLOCK': async (armored) => (await import('./pgp-key.ts')).pgpKey(armored),
};

/**
 * Reads a public key or certificate in PEM (`cosign.pub` is one), or an armored PGP public key.
 * @throws ChainsError KEY_INVALID when it is something else, or of a kind that isn't accepted.
 */
export async function readPublicKey(text: string): Promise<VerificationKey> {
  const labels = pemLabels(text);
  const [label = ''] = labels;
  if (labels.length !== 1) {
    throw invalid(`holds ${labels.length} PEM blocks; give one public key or certificate`);
  }
  const read = Object.hasOwn(readers, label) ? readers[label] : undefined;
  if (read === undefined) {
    const advice = label.includes('PRIVATE')
      ? 'give the public key: `openssl pkey -in KEY.pem -pubout`, `gpg --armor --export KEYID` or cosign.pub'
      : 'give a PUBLIC KEY, a CERTIFICATE or a PGP PUBLIC KEY BLOCK';
    throw invalid(`is a ${label}; ${advice}`);
  }
  try {
    return await read(text);
  } catch (cause) {
    if (cause instanceof ChainsError) throw cause;
    throw invalid(`is a damaged ${label}`, cause);
  }
}

/** Reads the keys to verify with. @throws ChainsError KEY_INVALID when one can't be read, or there is none */
export async function readKeys(texts: readonly string[]): Promise<readonly VerificationKey[]> {
  if (texts.length === 0) throw new ChainsError('KEY_INVALID', 'there is no key to verify with');
  return Promise.all(texts.map(readPublicKey));
}

/**
 * The key that signs now in a KMS.
 * @param data of a ConfigMap `chains-config`, for how to reach the KMS
 * @throws ChainsError CONFIG_INVALID for an invalid reference, KMS_REFUSED, KMS_UNAVAILABLE
 */
export async function kmsKey(
  reference: string,
  data: Readonly<Record<string, unknown>>,
): Promise<VerificationKey> {
  const { config } = parseConfig({ ...data, 'signers.kms.kmsref': reference });
  const { readKeyVersion } = await import('../sign/kms/index.ts');
  return plainKey((await readKeyVersion(config)).publicKey);
}

/** @param whyInvalid why the key is no longer, or not yet, valid */
function plainKey(key: KeyObject, whyInvalid: () => string | undefined = () => undefined): VerificationKey {
  // A key in a KMS may have signed another digest than one in a file, and the signature doesn't say which.
  const algorithms = algorithmsOf(key);
  if (algorithms.length === 0) throw invalid(`is ${kindOf(key)}; use ${acceptedKinds}`);
  const id = keyIdOf(key);
  const mismatch = 'did not make this signature of this payload';
  return {
    id,
    keyIds: [id],
    publicKey: key.export({ format: 'der', type: 'spki' }),
    async check(message, signature) {
      const isSigned = algorithms.some((algorithm) => verifies(algorithm, key, message, signature));
      return isSigned ? whyInvalid() : mismatch;
    },
    async checkSha256(sha256, signature) {
      const { verifiesSha256 } = await import('../keys/digest-signature.ts');
      const isSigned = verifiesSha256(key, sha256, signature);
      if (isSigned === undefined) return 'signs no digest: give the artifact itself';
      return isSigned ? whyInvalid() : mismatch;
    },
  };
}

/** OpenSSL ignores insignificant bits; a text that isn't strict DER has been changed. */
function exactKey(pem: string, type: 'spki' | 'pkcs1'): KeyObject {
  const key = createPublicKey(pem);
  const written = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  if (!key.export({ format: 'der', type }).equals(written)) throw invalid('is not written as DER demands');
  return key;
}

/** The issuer is not verified: the certificate is taken for its key, as long as it is valid. */
function certificateKey(certificate: X509Certificate): VerificationKey {
  const { validFromDate, validToDate, publicKey } = certificate;
  if (certificate.issuer === certificate.subject && !certificate.verify(publicKey)) {
    throw invalid('is a certificate that was changed: it does not verify under its own key');
  }
  return plainKey(publicKey, () => {
    const now = new Date();
    if (now > validToDate) return `is in a certificate that expired on ${validToDate.toISOString()}`;
    return now < validFromDate
      ? `is in a certificate valid from ${validFromDate.toISOString()} on`
      : undefined;
  });
}

/** The key of a certificate in PEM, whether or not it is still valid; undefined if it can't be read. */
export function keyOfCertificate(pem: string): VerificationKey | undefined {
  try {
    const certificate = new X509Certificate(pem);
    // The parser skips what it doesn't know, so a changed text could pass for the same certificate.
    return certificate.toString().trim() === pem.trim() ? plainKey(certificate.publicKey) : undefined;
  } catch {
    return undefined;
  }
}
