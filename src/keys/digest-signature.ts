import { constants, type KeyObject, publicDecrypt } from 'node:crypto';
import { p256, p384, p521 } from '@noble/curves/nist.js';

/** The arithmetic of the curves that ECDSA keys may be on, by NIST's names: for what node's own signing and verifying leave out. */
export const curveArithmetic: ReadonlyMap<string, typeof p256> = new Map([
  ['P-256', p256],
  ['P-384', p384],
  ['P-521', p521],
]);

/** What PKCS #1 v1.5 puts before a SHA-256 (RFC 8017, 9.2). */
const sha256Prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/**
 * Whether a signature is the key's, of what has this SHA-256: for those who have the digest and not the message, which node's
 * own verification asks for. ECDSA and RSA PKCS #1 v1.5; undefined for keys that sign no digest.
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
    const options = { prehash: false, lowS: false, format: 'der' } as const;
    return curveArithmetic.get(crv)?.verify(signature, sha256, point, options) ?? false;
  } catch {
    // Not DER, or not a point: it is not the key's.
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
