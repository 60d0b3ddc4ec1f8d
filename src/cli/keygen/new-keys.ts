import { generateKeyPairSync, type KeyObject, type KeyPairKeyObjectResult, randomBytes } from 'node:crypto';
import { sealBox } from '../../sign/cosign-box.ts';
import { cosignLabels } from '../../sign/cosign-key.ts';
import { keyIdOf } from '../../keys/key-id.ts';
import { pemOf } from '../../keys/pem.ts';

/** A file of a new key. */
export interface KeyFile {
  readonly name: string;
  /** All but the public key are for their owner alone. */
  readonly what: 'private key' | 'public key' | 'password' | 'passphrase';
  readonly text: string;
}

/** A new key: the files that the Secret `signing-secrets` and `--out` get. */
export interface NewKey {
  /** Its kind and id. */
  readonly what: string;
  readonly files: readonly KeyFile[];
}

/** Options of new keys. */
export interface NewKeyOptions {
  /** The user id of a PGP key. */
  readonly name: string;
  readonly environment: NodeJS.ProcessEnv;
}

const p256 = { namedCurve: 'P-256' };

/** The types of `--type`. */
export const keyTypes = new Map<string, (options: NewKeyOptions) => NewKey | Promise<NewKey>>([
  ['ecdsa', newP256Key],
  ['ed25519', () => plainKey('Ed25519', generateKeyPairSync('ed25519'))],
  ['rsa', () => plainKey('RSA 3072', generateKeyPairSync('rsa', { modulusLength: 3072 }))],
  ['cosign', ({ environment }) => cosignKey(environment['COSIGN_PASSWORD'])],
  ['pgp', ({ name }) => pgpKey(name)],
]);

/** An ECDSA key on the curve P-256. */
export function newP256Key(): NewKey {
  return plainKey('ECDSA P-256', generateKeyPairSync('ec', p256));
}

function plainKey(kind: string, { publicKey, privateKey }: KeyPairKeyObjectResult): NewKey {
  const text = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return {
    what: `${kind} key ${keyIdOf(publicKey)}`,
    files: [
      { name: 'x509.pem', what: 'private key', text },
      { name: 'x509.pub', what: 'public key', text: spki(publicKey) },
    ],
  };
}

/** A key as `cosign generate-key-pair` makes it, with a random password where the environment has none. */
async function cosignKey(password = randomSecret()): Promise<NewKey> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', p256);
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  const box = await sealBox(der, Buffer.from(password));
  der.fill(0);
  return {
    what: `cosign key (ECDSA P-256) ${keyIdOf(publicKey)}`,
    files: [
      { name: 'cosign.key', what: 'private key', text: pemOf(cosignLabels[0], Buffer.from(box)) },
      { name: 'cosign.pub', what: 'public key', text: spki(publicKey) },
      { name: 'cosign.password', what: 'password', text: password },
    ],
  };
}

/** One signing key without subkeys: Ed25519 in the older form, since gpg doesn't read that of RFC 9580. */
async function pgpKey(name: string): Promise<NewKey> {
  const [openpgp, { publicKeyOf }] = await Promise.all([import('openpgp'), import('../../keys/pgp.ts')]);
  const passphrase = randomSecret();
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    subkeys: [],
    userIDs: [{ name }],
    passphrase,
    format: 'object',
  });
  const point = publicKeyOf(publicKey.keyPacket);
  const id = point === undefined ? '' : `, ${keyIdOf(point)}`;
  return {
    what: `PGP key (Ed25519) ${publicKey.getFingerprint().toUpperCase()}${id}`,
    files: [
      { name: 'pgp.private-key', what: 'private key', text: privateKey.armor() },
      { name: 'pgp.public-key', what: 'public key', text: publicKey.armor() },
      { name: 'pgp.passphrase', what: 'passphrase', text: passphrase },
    ],
  };
}

function spki(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

/** 192 random bits, as text without special characters. */
function randomSecret(): string {
  return randomBytes(24).toString('hex');
}
