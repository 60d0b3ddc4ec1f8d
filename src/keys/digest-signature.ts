import { constants, createHash, type KeyObject, publicDecrypt } from 'node:crypto';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { algorithmsOf } from './algorithm.ts';

/** The curves by NIST's names, for what node's own signing and verifying can't do. */
const curves: ReadonlyMap<string, typeof p256> = new Map([
  ['P-256', p256],
  ['P-384', p384],
  ['P-521', p521],
]);

/** Signatures are DER, as node makes them, and what is signed is a digest already. */
const options = { prehash: false, lowS: false, format: 'der' } as const;

/** What PKCS #1 v1.5 puts before a SHA-256 (RFC 8017, 9.2). */
const sha256Prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/**
 * Signs so that the same message always gets the same signature (RFC 6979), for keys whose signatures hold a random number.
 * Undefined for keys whose signatures are deterministic anyway.
 */
export function signRepeatably(privateKey: KeyObject): ((message: Uint8Array) => Uint8Array) | undefined {
  if (privateKey.asymmetricKeyType !== 'ec') return undefined;
  const { crv = '', d = '' } = privateKey.export({ format: 'jwk' });
  const curve = curves.get(crv);
  const digest = algorithmsOf(privateKey)[0]?.digest;
  if (curve === undefined || digest === undefined) return undefined;
  const secret = Buffer.from(d, 'base64url');
  return (message) => curve.sign(createHash(digest).update(message).digest(), secret, options);
}

/**
 * Whether a signature is the key's, of a message that is known only by its SHA-256: node's own verification needs the message.
 * ECDSA and RSA PKCS #1 v1.5; undefined for keys that do not sign a digest.
 */
export function verifiesSha256(
  key: KeyObject,
  sha256: Uint8Array,
  signature: Uint8Array,
): boolean | undefined {
  if (key.asymmetricKeyType === 'ec') return verifiesEcdsa(key, sha256, signature);
  return key.asymmetricKeyType === 'rsa' ? verifiesRsa(key, sha256, signature) : undefined;
}

function verifiesEcdsa(key: KeyObject, sha256: Uint8Array, signature: Uint8Array): boolean {
  const { crv = '', x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  try {
    return curves.get(crv)?.verify(signature, sha256, point, options) ?? false;
  } catch {
    // Not DER, or not a point on the curve.
    return false;
  }
}

function verifiesRsa(key: KeyObject, sha256: Uint8Array, signature: Uint8Array): boolean {
  try {
    const opened = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return opened.equals(Buffer.concat([sha256Prefix, sha256]));
  } catch {
    return false;
  }
}
