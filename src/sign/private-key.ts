import { createPrivateKey, type KeyObject } from 'node:crypto';
import { acceptedKinds, algorithmsOf, kindOf } from '../keys/algorithm.ts';
import { pemBlock, pemLabels } from '../keys/pem.ts';
import { invalidKey } from './secrets.ts';

/**
 * Reads an unencrypted PKCS#8 PEM file. Surrounding line ends and blanks don't matter.
 * @param path for messages
 * @throws ChainsError KEY_INVALID that says what the file is and which command converts it; never shows its content.
 */
export function readPrivateKey(file: Uint8Array, path: string): KeyObject {
  const text = Buffer.from(file).toString('latin1');
  const labels = pemLabels(text);
  const refuse = (wrong: string) => invalidKey(`${path} ${wrong}`);
  if (labels.length === 0) throw refuse(describeWithoutBlocks(file, text, path));
  const label = labels.length === 1 || labels[0] === 'EC PARAMETERS' ? labels.at(-1) : undefined;
  if (label === undefined) {
    throw refuse(
      `holds ${labels.length} PEM blocks (${labels.slice(0, 4).join(', ')}); leave only the private key: \`openssl pkey -in ${path} -out converted.pem\``,
    );
  }
  if (label !== 'PRIVATE KEY') throw refuse(describeOther(label, text, path));
  const der = pemBlock(text, 'PRIVATE KEY');
  const key = der && readPkcs8(der);
  if (key === undefined) {
    throw refuse(
      `is damaged: it is not a readable PKCS#8 key (\`openssl pkey -noout -in ${path}\` says more); ${makeNew(path)}`,
    );
  }
  const wrong = whyNotAccepted(key);
  if (wrong !== undefined) throw refuse(`${wrong}; ${makeNew(path)}`);
  return key;
}

/** Reads a PKCS#8 key in DER and wipes the bytes; undefined when they are not one. */
export function readPkcs8(der: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch {
    // OpenSSL's reasons name its own functions, and the remedy is the same for all of them.
    return undefined;
  } finally {
    der.fill(0);
  }
}

/** Why a private key isn't accepted for signing; undefined when it is. */
export function whyNotAccepted(key: KeyObject): string | undefined {
  return algorithmsOf(key).length > 0 ? undefined : `is ${kindOf(key)}; use ${acceptedKinds}`;
}

const convert = (path: string) => `openssl pkcs8 -topk8 -nocrypt -in ${path} -out converted.pem`;
const makeNew = (path: string) =>
  `make a new one: \`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${path.replace(/^.*\//, '')}\``;

/** What a file with one PEM block of this label is, and what to do about it. */
const others: Readonly<Record<string, (path: string, text: string) => string>> = {
  'EC PRIVATE KEY': (path) => `is an EC key in SEC1 form, not PKCS#8; convert it: \`${convert(path)}\``,
  'RSA PRIVATE KEY': (path, text) =>
    `is an${text.includes('ENCRYPTED') ? ' encrypted' : ''} RSA key in PKCS#1 form, not PKCS#8; convert it: \`${convert(path)}\``,
  'ENCRYPTED PRIVATE KEY': (path) => `is encrypted; take the password off: \`${convert(path)}\``,
  CERTIFICATE: () =>
    `is a certificate, not a private key; put the key that belongs to it there: \`${convert('KEY.pem')}\``,
  'PUBLIC KEY': () =>
    `is a public key; put the private key that belongs to it there: \`${convert('KEY.pem')}\``,
  'OPENSSH PRIVATE KEY': (path, text) =>
    // Ed25519 has no other form in ssh-keygen, and openssl doesn't read OpenSSH's.
    isOpensshEd25519(text)
      ? `is an Ed25519 key in OpenSSH's form, which openssl can't convert; make a new one: \`openssl genpkey -algorithm ed25519 -out x509.pem\``
      : `is a key in OpenSSH's form, not PKCS#8; convert a copy of it: \`cp ${path} converted.pem && chmod 600 converted.pem && ssh-keygen -p -m PKCS8 -N "" -f converted.pem\``,
  'ENCRYPTED COSIGN PRIVATE KEY': () => cosign,
  'ENCRYPTED SIGSTORE PRIVATE KEY': () => cosign,
  'PGP PRIVATE KEY BLOCK': () =>
    'is a PGP key, which belongs in `pgp.private-key`; set the signer `pgp` in `chains-config` for it',
};

const cosign =
  'is a key of cosign: name it `cosign.key`, put its password in `cosign.password`, and remove `x509.pem`';

function describeOther(label: string, text: string, path: string): string {
  const known = Object.hasOwn(others, label) ? others[label] : undefined;
  return known?.(path, text) ?? `is a ${label}, not a PRIVATE KEY in PKCS#8 form; ${makeNew(path)}`;
}

function isOpensshEd25519(text: string): boolean {
  return pemBlock(text, 'OPENSSH PRIVATE KEY')?.includes('ssh-ed25519') === true;
}

function describeWithoutBlocks(file: Uint8Array, text: string, path: string): string {
  if (text.trim() === '') return `is empty; ${makeNew(path)}`;
  if (file[0] === 0x30) {
    return `is binary (DER), not PEM; convert it: \`openssl pkcs8 -topk8 -nocrypt -inform DER -in ${path} -out converted.pem\``;
  }
  if (text.trimStart().startsWith('LS0tLS1CRUdJTi')) {
    return `is PEM that is base64-encoded once more; decode it: \`base64 -d ${path} > converted.pem\``;
  }
  return `is not a PEM file: it has no line -----BEGIN PRIVATE KEY-----; ${makeNew(path)}`;
}
