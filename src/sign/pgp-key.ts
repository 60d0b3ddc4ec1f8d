import type { KeyObject } from 'node:crypto';
import * as openpgp from 'openpgp';
import { reasonOf } from '../errors.ts';
import { pemBody, pemLabels } from '../keys/pem.ts';
import { config, publicKeyOf } from '../keys/pgp.ts';

/** A primary key or subkey that may sign, and its public key. */
interface SigningPart {
  readonly packet: SecretPacket;
  readonly publicKey: KeyObject;
}

/** A primary key or subkey with its secret part. */
export type SecretPacket = openpgp.SecretKeyPacket | openpgp.SecretSubkeyPacket;

/** Reads a file with one armored private key. A string says why it isn't accepted. */
export async function readPgpKey(file: Uint8Array): Promise<openpgp.PrivateKey | string> {
  const armoredKeys = Buffer.from(file).toString('latin1');
  const wrong = whyNotArmored(file, armoredKeys);
  if (wrong !== undefined) return wrong;
  const keys = await openpgp.readPrivateKeys({ armoredKeys, config }).catch(() => []);
  const [key] = keys;
  if (key === undefined) {
    return 'is damaged, or a kind of key that is not known: no private key can be read from it';
  }
  if (keys.length > 1) {
    const ids = keys.slice(0, 4).map((each) => idOf(each.keyPacket));
    return `holds ${keys.length} private keys (${ids.join(', ')}); leave one of them`;
  }
  const { version } = key.keyPacket;
  return version === 4 ? key : `is a key of version ${version}, which gpg can't verify; use one of version 4`;
}

/**
 * The part of the key that gpg would sign with at that time: the newest subkey that is valid, may sign and whose secret
 * part is there, else the primary key. A string says why there is none.
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
    return `is of the kind ${kind}, not RSA, ECDSA on P-256, P-384 or P-521, or Ed25519 as gpg 2.2 makes it`;
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

const label = 'PGP PRIVATE KEY BLOCK';
const exported = '`gpg --armor --export-secret-keys KEYID > pgp.private-key`';

/** Why a file is not a single armored private key, and what to do about it; undefined when it is one (RFC 9580, 6). */
function whyNotArmored(file: Uint8Array, text: string): string | undefined {
  const labels = pemLabels(text);
  if (text.trim() === '') return `is empty; export the key: ${exported}`;
  if ((file[0] ?? 0) >= 0x80) return `is binary, not armored; export the key with --armor: ${exported}`;
  if (labels.length > 1) {
    return `holds ${labels.length} armored blocks (${labels.slice(0, 4).join(', ')}); leave the private key alone: ${exported}`;
  }
  if (labels[0] !== label) return describeOther(labels[0]);
  const [, block] = /^\r?\n([^]*)$/.exec(pemBody(text, label) ?? '') ?? [];
  if (block === undefined)
    return `is cut off: it has no line -----END ${label}-----; export the key again: ${exported}`;
  return isWhole(block)
    ? undefined
    : `is damaged: its checksum does not match; export the key again: ${exported}`;
}

function describeOther(other: string | undefined): string {
  switch (other) {
    case undefined:
      return `is not an armored PGP key: it has no line -----BEGIN ${label}-----; export the key: ${exported}`;
    case 'PGP PUBLIC KEY BLOCK':
      return `is a public key; export the private key that belongs to it: ${exported}`;
    case 'PRIVATE KEY':
      return 'is a PKCS#8 key, which belongs in `x509.pem`; set the signer `x509` in `chains-config` for it';
    default:
      return `is a ${other}, not a ${label}; export the key: ${exported}`;
  }
}

/**
 * Whether the checksum is that of the data, or there is none. The library ignores it, as RFC 9580 demands, and would report
 * damage as a wrong passphrase.
 */
function isWhole(block: string): boolean {
  const lines = block.split('\n').map((line) => line.trim());
  const data = lines.slice(lines.indexOf('') + 1);
  const sum = data.find((line) => line.startsWith('='));
  const bytes = Buffer.from(data.filter((line) => !line.startsWith('=')).join(''), 'base64');
  return sum === undefined || Buffer.from(sum.slice(1), 'base64').equals(crc24(bytes));
}

/** The CRC-24 of RFC 9580, 6.1.1. */
function crc24(bytes: Uint8Array): Uint8Array {
  let sum = 0xb704ce;
  for (const byte of bytes) {
    sum ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) sum = (sum << 1) ^ (sum & 0x800000 ? 0x1864cfb : 0);
  }
  return Buffer.from([sum >> 16, sum >> 8, sum]);
}
