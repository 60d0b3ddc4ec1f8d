import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import * as openpgp from 'openpgp';
import { reasonOf } from '../errors.ts';
import { curves } from './algorithm.ts';

/**
 * The library's settings. Keys without flags may do what their algorithm can, as in gpg. No random notation goes into
 * signatures: it protects against faults in the computation, and here every signature is verified before it is used.
 */
export const config: openpgp.Config = {
  ...openpgp.config,
  allowMissingKeyFlags: true,
  nonDeterministicSignaturesViaNotation: false,
};

/** Reads the one PGP key of an armored block, public or private. @throws Error when it is damaged or not exactly one. */
export async function readArmoredKey(armored: string): Promise<openpgp.Key> {
  const keys = await openpgp.readKeys({ armoredKeys: armored, config });
  const [key] = keys;
  if (key === undefined || keys.length > 1) throw new Error(`it holds ${keys.length} PGP keys, not one`);
  return key;
}

/**
 * Verifies an armored, detached signature that a key made of a message by the given date. A string says why it is not valid, in
 * words that follow the key's name. Nothing may come before or after its one armored block.
 * @returns the id of the subkey or primary key that signed
 */
export async function verifyPgp(
  key: openpgp.Key,
  message: Uint8Array,
  armored: Uint8Array,
  date: Date = new Date(),
): Promise<{ readonly keyId: openpgp.KeyID } | string> {
  const armoredSignature = Buffer.from(armored).toString('latin1');
  if (!isOneArmor(armoredSignature))
    return 'did not make this: it is not one PGP SIGNATURE block with nothing before or after it';
  try {
    const { signatures } = await openpgp.verify({
      message: await openpgp.createMessage({ binary: message }),
      signature: await openpgp.readSignature({ armoredSignature, config }),
      verificationKeys: key,
      ...{ date, config },
      format: 'binary',
    });
    const [only, ...more] = signatures;
    if (only === undefined || more.length > 0)
      return `did not make this: there are ${signatures.length} signatures, not one`;
    await only.verified;
    return { keyId: only.keyID };
  } catch (error) {
    return `did not make this signature of this payload (${reasonOf(error)})`;
  }
}

const [start, end] = ['-----BEGIN PGP SIGNATURE-----', '-----END PGP SIGNATURE-----'];

function isOneArmor(text: string): boolean {
  const ends = text.indexOf(end);
  return (
    text.startsWith(start) &&
    ends === text.lastIndexOf(end) &&
    text.lastIndexOf('-----BEGIN') === 0 &&
    text.slice(ends + end.length).trim() === ''
  );
}

/** The public key of a primary key or subkey that is RSA, ECDSA on a NIST curve, or Ed25519 as gpg makes it; undefined for others. */
export function publicKeyOf(packet: openpgp.AnyKeyPacket): KeyObject | undefined {
  const jwk = jwkOf(packet);
  return jwk === undefined ? undefined : createPublicKey({ key: jwk, format: 'jwk' });
}

function jwkOf(packet: openpgp.AnyKeyPacket): JsonWebKey | undefined {
  const { algorithm, curve } = packet.getAlgorithmInfo();
  const parameters = new Map<string, unknown>(Object.entries(packet.publicParams));
  if (algorithm === 'rsaEncryptSign' || algorithm === 'rsaSign') {
    return { kty: 'RSA', n: base64url(parameters.get('n')), e: base64url(parameters.get('e')) };
  }
  const point = parameters.get('Q');
  if (!(point instanceof Uint8Array)) return undefined;
  // The first byte says how the point is encoded.
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
