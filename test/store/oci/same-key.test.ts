import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { createMessage, generateKey, readPrivateKey, sign as signPgp } from 'openpgp';
import { signedBy } from '../../../src/store/oci/same-key.ts';

const message = Buffer.from('a payload');
const pem = (key: KeyObject) => ({
  publicKey: key.export({ format: 'pem', type: 'spki' }).toString(),
  keyId: '',
});
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pss = { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING };
const [p256, p384, p521] = [ec('P-256'), ec('P-384'), ec('P-521')];
const ed25519 = generateKeyPairSync('ed25519');

/** Signatures as signers and KMSs make them. */
const signatures = {
  'P-256': [p256.publicKey, sign('sha256', message, p256.privateKey)],
  'P-384 with SHA-384': [p384.publicKey, sign('sha384', message, p384.privateKey)],
  'P-521 with SHA-512': [p521.publicKey, sign('sha512', message, p521.privateKey)],
  Ed25519: [ed25519.publicKey, sign(null, message, ed25519.privateKey)],
  'RSA PKCS#1 v1.5': [rsa.publicKey, sign('sha256', message, rsa.privateKey)],
  'RSA PSS with SHA-512': [rsa.publicKey, sign('sha512', message, pss)],
} as const;

for (const [name, [key, signature]] of Object.entries(signatures))
  test(`${name}: a signature is known for its key's, and not for another's`, async () => {
    assert.equal(await signedBy(pem(key), message, signature), true);
    assert.equal(await signedBy(pem(key), Buffer.from('another payload'), signature), false);
    assert.equal(await signedBy(pem(ec('P-256').publicKey), message, signature), false);
    assert.equal(await signedBy(pem(key), message, Buffer.from('no signature')), false);
  });

test('PGP: two signatures of one key are never equal, and both are known for its', async () => {
  const newKey = () => generateKey({ userIDs: { name: 'test' }, type: 'ecc', curve: 'ed25519Legacy' });
  const [one, other] = [await newKey(), await newKey()];
  const signingKeys = await readPrivateKey({ armoredKey: one.privateKey });
  const binary = await createMessage({ binary: message });
  const signature = Buffer.from(await signPgp({ message: binary, signingKeys, detached: true }));
  const known = (publicKey: string, bytes: Uint8Array, what: Uint8Array = signature) =>
    signedBy({ publicKey, keyId: '' }, bytes, what);
  assert.equal(await known(one.publicKey, message), true);
  assert.equal(await known(other.publicKey, message), false);
  assert.equal(await known(one.publicKey, Buffer.from('another payload')), false);
  assert.equal(await known(one.publicKey, message, Buffer.from([0x30, 0x45])), false);
});
