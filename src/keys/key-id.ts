import { createHash, type KeyObject } from 'node:crypto';
import { withoutTrailing } from '../text.ts';
import type { Algorithm, SigningKey } from '../model/signature.ts';
import { algorithmsOf, curveOf } from './algorithm.ts';

/** A public key as signatures hold it. @param algorithm how it signs; by default the usual way of its kind */
export function signingKeyOf(
  publicKey: KeyObject,
  algorithm: Algorithm | undefined = algorithmsOf(publicKey)[0],
): SigningKey {
  return {
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    keyId: keyIdOf(publicKey),
    ...(algorithm === undefined ? {} : { algorithm }),
  };
}

/**
 * The id of an ECDSA, Ed25519 or RSA public key: `SHA256:` and the unpadded base64 SHA-256 of its SSH wire format (RFC 4253,
 * 6.6; RFC 5656, 3.1; RFC 8709, 4), as `ssh-keygen -l` shows it.
 */
export function keyIdOf(publicKey: KeyObject): string {
  const wire = Buffer.concat(wireFields(publicKey).map(lengthPrefixed));
  return `SHA256:${withoutTrailing(createHash('sha256').update(wire).digest('base64'), '=')}`;
}

function wireFields(publicKey: KeyObject): readonly Uint8Array[] {
  const { x = '', y = '', n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const curve = curveOf(publicKey);
  if (curve !== undefined) {
    const point = Buffer.concat([Buffer.from([4]), base64url(x), base64url(y)]);
    return [Buffer.from(`ecdsa-sha2-${curve.ssh}`), Buffer.from(curve.ssh), point];
  }
  if (publicKey.asymmetricKeyType === 'ed25519') return [Buffer.from('ssh-ed25519'), base64url(x)];
  return [Buffer.from('ssh-rsa'), positiveInteger(base64url(e)), positiveInteger(base64url(n))];
}

const base64url = (text: string) => Buffer.from(text, 'base64url');

/** SSH's integers are signed, so one whose top bit is set gets a leading zero. */
function positiveInteger(bytes: Uint8Array): Uint8Array {
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
}

function lengthPrefixed(field: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(field.length);
  return Buffer.concat([length, field]);
}
