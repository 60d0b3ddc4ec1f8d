import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { sealBox } from '../../sign/cosign-box.ts';
import { cosignLabels } from '../../sign/cosign-key.ts';
import { keyIdOf } from '../../keys/key-id.ts';
import { pemOf } from '../../keys/pem.ts';
import type { NewFile } from './new-files.ts';

/** A file of a new key, with what it is in a few words. */
export interface KeyFile extends NewFile {
  readonly what: string;
}

/** A new key: the files that the Secret `signing-secrets` and `--out` get. */
export interface NewKey {
  /** Its kind and id. */
  readonly what: string;
  readonly files: readonly KeyFile[];
}

/** What a new key depends on, besides its type. */
export interface NewKeyOptions {
  /** The user id of a PGP key. */
  readonly name: string;
  readonly environment: NodeJS.ProcessEnv;
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** The types of `--type`. */
export const keyTypes = new Map<string, (options: NewKeyOptions) => NewKey | Promise<NewKey>>([
  ['ecdsa', () => plainKey('ECDSA P-256', newP256())],
  ['ed25519', () => plainKey('Ed25519', generateKeyPairSync('ed25519'))],
  ['rsa', () => plainKey('RSA 3072', generateKeyPairSync('rsa', { modulusLength: 3072 }))],
  ['cosign', ({ environment }) => cosignKey(environment['COSIGN_PASSWORD'])],
  ['pgp', ({ name }) => pgpKey(name)],
]);

function newP256(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function plainKey(kind: string, { publicKey, privateKey }: KeyPair): NewKey {
  const text = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return newKey(`${kind} key ${keyIdOf(publicKey)}`, [
    ['x509.pem', 'private key', text],
    ['x509.pub', 'public key', spki(publicKey)],
  ]);
}

/** As `cosign generate-key-pair` makes it, with a password of our own where the environment has none. */
async function cosignKey(password = randomSecret()): Promise<NewKey> {
  const { publicKey, privateKey } = newP256();
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  const box = await sealBox(der, Buffer.from(password));
  der.fill(0);
  return newKey(`cosign key (ECDSA P-256) ${keyIdOf(publicKey)}`, [
    ['cosign.key', 'private key', pemOf(cosignLabels[0], Buffer.from(box))],
    ['cosign.pub', 'public key', spki(publicKey)],
    ['cosign.password', 'password', password],
  ]);
}

/** Ed25519 in the form that gpg 2.1 and later read; they know nothing of RFC 9580's. One key that signs, and no subkey. */
async function pgpKey(name: string): Promise<NewKey> {
  const [openpgp, { publicKeyOf }] = await Promise.all([import('openpgp'), import('../../keys/pgp.ts')]);
  const passphrase = randomSecret();
  const { privateKey, publicKey } = await openpgp.generateKey({
    ...{ type: 'ecc', curve: 'ed25519Legacy', subkeys: [], userIDs: [{ name }], passphrase },
    format: 'object',
  });
  const point = publicKeyOf(publicKey.keyPacket);
  const id = point === undefined ? '' : `, ${keyIdOf(point)}`;
  return newKey(`PGP key (Ed25519) ${publicKey.getFingerprint().toUpperCase()}${id}`, [
    ['pgp.private-key', 'private key', privateKey.armor()],
    ['pgp.public-key', 'public key', publicKey.armor()],
    ['pgp.passphrase', 'passphrase', passphrase],
  ]);
}

function newKey(
  what: string,
  files: readonly (readonly [name: string, what: string, text: string])[],
): NewKey {
  return {
    what,
    files: files.map(([name, is, text]) => ({ name, text, what: is, isPrivate: is !== 'public key' })),
  };
}

function spki(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

/** 192 random bits as text that no shell, option or file takes for anything else. */
function randomSecret(): string {
  return randomBytes(24).toString('hex');
}
