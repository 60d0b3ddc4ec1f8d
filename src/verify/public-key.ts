import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { ChainsError } from '../model/errors.ts';
import { algorithmsOf, verifies } from '../sign/algorithm.ts';
import { keyIdOf } from '../sign/key-id.ts';

/** A public key that signatures are checked against. */
export interface VerificationKey {
  /** As `ssh-keygen -l` shows it. */
  readonly id: string;
  verifies(payload: Uint8Array, signature: Uint8Array): boolean;
}

/** How the key in a PEM block of each label is read. A certificate counts for its key alone: nobody is asked about it. */
const readers: Readonly<Record<string, (pem: string) => KeyObject>> = {
  'PUBLIC KEY': (pem) => createPublicKey(pem),
  'RSA PUBLIC KEY': (pem) => createPublicKey(pem),
  CERTIFICATE: (pem) => new X509Certificate(pem).publicKey,
};

/**
 * Reads a public key or certificate in PEM.
 * @throws ChainsError KEY_INVALID when it is something else, or of a kind that signs no runs.
 */
export function readPublicKey(pem: string): VerificationKey {
  const labels = Array.from(pem.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g), ([, label = '']) => label);
  const [label = ''] = labels;
  if (labels.length !== 1)
    throw invalid(`holds ${labels.length} PEM blocks; give one public key or certificate`);
  const read = Object.hasOwn(readers, label) ? readers[label] : undefined;
  if (read === undefined) {
    const advice = label.includes('PRIVATE')
      ? 'give the public key: `openssl pkey -in KEY.pem -pubout`'
      : 'give a PUBLIC KEY or a CERTIFICATE';
    throw invalid(`is a ${label}; ${advice}`);
  }
  let key: KeyObject;
  try {
    key = read(pem);
  } catch (cause) {
    throw invalid(`is a damaged ${label}`, cause);
  }
  return verificationKey(key);
}

function verificationKey(key: KeyObject): VerificationKey {
  // A key in a KMS may have signed another digest than one in a file, and nothing in the signature says which.
  const algorithms = algorithmsOf(key);
  if (algorithms.length === 0) {
    const { asymmetricKeyType: type, asymmetricKeyDetails: { namedCurve = '' } = {} } = key;
    const kind = [type, namedCurve].filter(Boolean).join(' ');
    throw invalid(`is of the kind ${kind}; ECDSA P-256, P-384 and P-521, Ed25519 and RSA sign runs`);
  }
  return {
    id: keyIdOf(key),
    verifies: (payload, signature) =>
      algorithms.some((algorithm) => verifies(algorithm, key, payload, signature)),
  };
}

function invalid(message: string, cause?: unknown): ChainsError {
  return new ChainsError('KEY_INVALID', `the key to verify with ${message}`, { cause });
}
