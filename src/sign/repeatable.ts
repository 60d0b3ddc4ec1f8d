import { createHash, type KeyObject } from 'node:crypto';
import { algorithmsOf } from '../keys/algorithm.ts';
import { curveArithmetic } from '../keys/digest-signature.ts';

/**
 * Signs the same message in the same way each time, for keys whose signatures hold a random number (RFC 6979): node has no
 * such way. Undefined for keys whose signatures are the same anyway.
 */
export function signRepeatably(privateKey: KeyObject): ((message: Uint8Array) => Uint8Array) | undefined {
  if (privateKey.asymmetricKeyType !== 'ec') return undefined;
  const { crv = '', d = '' } = privateKey.export({ format: 'jwk' });
  const curve = curveArithmetic.get(crv);
  const digest = algorithmsOf(privateKey)[0]?.digest;
  if (curve === undefined || digest === undefined) return undefined;
  const secret = Buffer.from(d, 'base64url');
  return (message) => {
    const hashed = createHash(digest).update(message).digest();
    return curve.sign(hashed, secret, { prehash: false, lowS: false, format: 'der' });
  };
}
