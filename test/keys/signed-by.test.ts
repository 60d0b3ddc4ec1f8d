import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { createMessage, generateKey, readPrivateKey, sign as signPgp } from 'openpgp';
import { preAuthEncoding } from '../../src/keys/dsse.ts';
import { includesSignatureOf } from '../../src/keys/signed-by.ts';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { spki } from '../sign/keys.ts';
import { signedArtifact } from '../store/entries.ts';
import { rsaKeyPair } from '../sign/rsa-keys.ts';

const image = await signedArtifact({ kind: 'oci', format: 'simplesigning' });
const provenance = await signedArtifact({ kind: 'taskrun', format: 'in-toto' });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const rsa = () => rsaKeyPair(2048);

function messageOf({ payload: { bytes, dsseType } }: SignedArtifact): Uint8Array {
  return dsseType === undefined ? bytes : preAuthEncoding(dsseType, bytes);
}

function signedWith(entry: SignedArtifact, publicKey: string): SignedArtifact {
  return { ...entry, signature: { ...entry.signature, key: { publicKey, keyId: '' } } };
}

for (const [name, pair, hash, padding] of [
  ['Ed25519', generateKeyPairSync('ed25519'), null, undefined],
  ['ECDSA P-256 with SHA-256', ec('P-256'), 'sha256', undefined],
  ['ECDSA P-384 with SHA-384', ec('P-384'), 'sha384', undefined],
  ['ECDSA P-521 with SHA-512', ec('P-521'), 'sha512', undefined],
  ['RSA PKCS#1 with SHA-256', rsa(), 'sha256', constants.RSA_PKCS1_PADDING],
  ['RSA PKCS#1 with SHA-512', rsa(), 'sha512', constants.RSA_PKCS1_PADDING],
  ['RSA PSS with SHA-256', rsa(), 'sha256', constants.RSA_PKCS1_PSS_PADDING],
  ['RSA PSS with SHA-512', rsa(), 'sha512', constants.RSA_PKCS1_PSS_PADDING],
] as const) {
  test(`${name}: a signature of the payload, or of its pre-authentication encoding, is known again`, async () => {
    const key: KeyObject = pair.privateKey;
    const signed = (message: Uint8Array) =>
      sign(hash, message, { key, ...(padding === undefined ? {} : { padding }) });
    for (const entry of [image, provenance]) {
      const ours = signedWith(entry, spki(pair.publicKey));
      const genuine = signed(messageOf(entry));
      assert.equal(await includesSignatureOf(ours, [Buffer.from('no signature'), genuine]), true);
      assert.equal(await includesSignatureOf(entry, [genuine]), false);
      const others = [signed(Buffer.from('another')), Buffer.alloc(0)];
      assert.equal(await includesSignatureOf(ours, others), false);
      assert.equal(await includesSignatureOf(ours, []), false);
    }
  });
}

test('PGP: two signatures of one key are never equal, and both are known for its', async () => {
  const newKey = () => generateKey({ userIDs: { name: 'test' }, type: 'ecc', curve: 'ed25519Legacy' });
  const [one, other] = [await newKey(), await newKey()];
  const signingKeys = await readPrivateKey({ armoredKey: one.privateKey });
  for (const entry of [image, provenance]) {
    const message = await createMessage({ binary: messageOf(entry) });
    const signature = Buffer.from(await signPgp({ message, signingKeys, detached: true }));
    const ours = signedWith(entry, one.publicKey);
    assert.equal(await includesSignatureOf(ours, [signature]), true);
    assert.equal(await includesSignatureOf(signedWith(entry, other.publicKey), [signature]), false);
    const another = entry === image ? provenance : image;
    assert.equal(await includesSignatureOf(signedWith(another, one.publicKey), [signature]), false);
    assert.equal(await includesSignatureOf(ours, [Buffer.from([0x30, 0x45])]), false);
  }
});
