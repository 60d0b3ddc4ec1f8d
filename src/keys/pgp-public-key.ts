import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { AnyKeyPacket } from 'openpgp';
import { curves } from './algorithm.ts';

/** The public key of a primary key or subkey that is RSA, ECDSA on a NIST curve, or Ed25519 as gpg makes it; undefined for others. */
export function publicKeyOf(packet: AnyKeyPacket): KeyObject | undefined {
  const jwk = jwkOf(packet);
  return jwk === undefined ? undefined : createPublicKey({ key: jwk, format: 'jwk' });
}

function jwkOf(packet: AnyKeyPacket): JsonWebKey | undefined {
  const { algorithm, curve } = packet.getAlgorithmInfo();
  const parameters = new Map<string, unknown>(Object.entries(packet.publicParams));
  if (algorithm === 'rsaEncryptSign' || algorithm === 'rsaSign') {
    return { kty: 'RSA', n: base64url(parameters.get('n')), e: base64url(parameters.get('e')) };
  }
  const point = parameters.get('Q');
  if (!(point instanceof Uint8Array)) return undefined;
  // The first byte says how the point is written.
  const coordinates = point.subarray(1);
  if (algorithm === 'eddsaLegacy' && curve === 'ed25519Legacy') {
    return { kty: 'OKP', crv: 'Ed25519', x: base64url(coordinates) };
  }
  const crv = [...curves.values()].find(({ pgp }) => pgp === curve)?.name;
  if (algorithm !== 'ecdsa' || crv === undefined) return undefined;
  const half = coordinates.length / 2;
  return {
    kty: 'EC',
    crv,
    x: base64url(coordinates.subarray(0, half)),
    y: base64url(coordinates.subarray(half)),
  };
}

function base64url(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : '';
}
