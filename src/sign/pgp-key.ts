import type { KeyObject } from 'node:crypto';
import * as openpgp from 'openpgp';
import { reasonOf } from '../errors.ts';
import { config } from '../keys/pgp.ts';
import { publicKeyOf } from '../keys/pgp-public-key.ts';

/** A primary key or subkey that may sign, and its public key. */
export interface SigningPart {
  readonly packet: SecretPacket;
  readonly publicKey: KeyObject;
}

/** A primary key or subkey with its secret part. */
export type SecretPacket = openpgp.SecretKeyPacket | openpgp.SecretSubkeyPacket;

/** Reads the one private key of an armored block. A text says why it isn't taken. */
export async function readPgpKey(armored: string): Promise<openpgp.PrivateKey | string> {
  const keys = await openpgp.readPrivateKeys({ armoredKeys: armored, config }).catch(() => undefined);
  const [key] = keys ?? [];
  if (keys === undefined || key === undefined) {
    return 'is damaged, or a kind of key that is not known: no private key can be read from it';
  }
  if (keys.length > 1) {
    const ids = keys.slice(0, 4).map((each) => idOf(each.keyPacket));
    return `holds ${keys.length} private keys (${ids.join(', ')}); leave one of them`;
  }
  const { version } = key.keyPacket;
  return version === 4 ? key : `is a key of version ${version}, which gpg can't verify; version 4 is taken`;
}

/**
 * The part of the key that gpg would sign with at that moment: the newest subkey that is valid, may sign and whose secret
 * part is there, else the primary key. A text says why there is none.
 */
export async function signingPartAt(key: openpgp.PrivateKey, date: Date): Promise<SigningPart | string> {
  const created = key.getCreationTime();
  if (created > date) return `is valid only from ${created.toISOString()} on; set the clocks right, or wait`;
  if (await key.isRevoked(undefined, undefined, date, config)) return 'is revoked; sign with another key';
  const expires = await key.getExpirationTime(undefined, config);
  if (expires instanceof Date && expires <= date) {
    return `expired on ${expires.toISOString()}; extend it with \`gpg --quick-set-expire\` and export it again`;
  }
  const reasons: string[] = [];
  const newestFirst = key.subkeys.toSorted(
    (a, b) => b.getCreationTime().getTime() - a.getCreationTime().getTime(),
  );
  for (const { keyPacket } of [...newestFirst, key]) {
    const part = await signingPart(key, keyPacket, date);
    if (typeof part !== 'string') return part;
    reasons.push(`${idOf(keyPacket)} ${part}`);
  }
  return `has no part that may sign: ${reasons.join('; ')}; add one with \`gpg --quick-add-key\` and export it again`;
}

/** The id of a key or subkey, as gpg shows it. */
export function idOf(packet: { getKeyID(): openpgp.KeyID }): string {
  return packet.getKeyID().toHex().toUpperCase();
}

async function signingPart(
  key: openpgp.PrivateKey,
  packet: openpgp.AnyKeyPacket,
  date: Date,
): Promise<SigningPart | string> {
  if (!isSecret(packet) || packet.isMissingSecretKeyMaterial()) return 'has no secret part in the file';
  const publicKey = publicKeyOf(packet);
  if (publicKey === undefined) {
    const { algorithm, curve } = packet.getAlgorithmInfo();
    const kind = [algorithm, curve].filter(Boolean).join(' ');
    return `is of the kind ${kind} (RSA, ECDSA on P-256, P-384 and P-521, and Ed25519 as gpg 2.2 makes it are taken)`;
  }
  try {
    await key.getSigningKey(packet.getKeyID(), date, undefined, config);
    return { packet, publicKey };
  } catch (error) {
    const reason = reasonOf(error).replace(
      /^Could not find valid signing key packet in key [0-9a-f]+(: )?/,
      '',
    );
    return reason === '' ? 'is not for signing' : `is refused (${reason})`;
  }
}

function isSecret(packet: object): packet is SecretPacket {
  return packet instanceof openpgp.SecretKeyPacket || packet instanceof openpgp.SecretSubkeyPacket;
}
