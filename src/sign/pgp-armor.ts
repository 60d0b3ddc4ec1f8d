import { pemBody, pemLabels } from '../keys/pem.ts';

const label = 'PGP PRIVATE KEY BLOCK';
const exported = '`gpg --armor --export-secret-keys KEYID > pgp.private-key`';

/** Why a file is not a single armored private key, and what to do about it; undefined when it is one (RFC 9580, 6). */
export function whatArmorIsWrong(file: Uint8Array): string | undefined {
  const text = Buffer.from(file).toString('latin1');
  const labels = pemLabels(text);
  if (text.trim() === '') return `is empty; export the key: ${exported}`;
  if ((file[0] ?? 0) >= 0x80) return `is binary, not armored; export the key with --armor: ${exported}`;
  if (labels.length > 1) {
    return `holds ${labels.length} armored blocks (${labels.slice(0, 4).join(', ')}); leave the private key alone: ${exported}`;
  }
  if (labels[0] !== label) return whatInstead(labels[0]);
  const [, block] = /^\r?\n([^]*)$/.exec(pemBody(text, label) ?? '') ?? [];
  if (block === undefined)
    return `is cut off: it has no line -----END ${label}-----; export the key again: ${exported}`;
  return isWhole(block)
    ? undefined
    : `is damaged: its checksum does not match; export the key again: ${exported}`;
}

function whatInstead(other: string | undefined): string {
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
 * Whether the checksum is that of the data, or there is none. The library passes over it, as RFC 9580 wants; then damage
 * would be reported as a wrong passphrase.
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
