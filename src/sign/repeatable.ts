import { createHash, type KeyObject } from 'node:crypto';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { algorithmsOf } from '../keys/algorithm.ts';

const curves: ReadonlyMap<string, typeof p256> = new Map([
  ['P-256', p256],
  ['P-384', p384],
  ['P-521', p521],
]);

/**
 * Signs the same message in the same way each time, for keys whose signatures hold a random number (RFC 6979): node has no
 * such way. Undefined for keys whose signatures are the same anyway.
 */
export function signRepeatably(privateKey: KeyObject): ((message: Uint8Array) => Uint8Array) | undefined {
  if (privateKey.asymmetricKeyType !== 'ec') return undefined;
  const { crv = '', d = '' } = privateKey.export({ format: 'jwk' });
  const curve = curves.get(crv);
  const digest = algorithmsOf(privateKey)[0]?.digest;
  if (curve === undefined || digest === undefined) return undefined;
  const secret = Buffer.from(d, 'base64url');
  return (message) => {
    const hashed = createHash(digest).update(message).digest();
    return curve.sign(hashed, secret, { prehash: false, lowS: false, format: 'der' });
  };
}
