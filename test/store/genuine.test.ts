import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { preAuthEncoding } from '../../src/model/dsse.ts';
import { isSignatureOf } from '../../src/store/genuine.ts';
import { spki } from '../sign/keys.ts';
import { signedArtifact } from './entries.ts';

const image = await signedArtifact({ kind: 'oci', format: 'simplesigning' });
const provenance = await signedArtifact({ kind: 'taskrun', format: 'in-toto' });
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });

for (const [name, pair, hash, padding] of [
  ['Ed25519', generateKeyPairSync('ed25519'), null, undefined],
  ['ECDSA P-256 with SHA-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sha256', undefined],
  ['ECDSA P-384 with SHA-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sha384', undefined],
  ['RSA PKCS#1', rsa(), 'sha512', constants.RSA_PKCS1_PADDING],
  ['RSA PSS', rsa(), 'sha256', constants.RSA_PKCS1_PSS_PADDING],
] as const) {
  test(`${name}: a signature of the payload, or of its pre-authentication encoding, is known again`, () => {
    const key: KeyObject = pair.privateKey;
    for (const entry of [image, provenance]) {
      const { bytes, dsseType } = entry.payload;
      const message = dsseType === undefined ? bytes : preAuthEncoding(dsseType, bytes);
      const signature = { ...entry.signature, key: { publicKey: spki(pair.publicKey), keyId: '' } };
      const signed = sign(hash, message, { key, ...(padding === undefined ? {} : { padding }) });
      assert.ok(isSignatureOf({ ...entry, signature }, signed));
      assert.ok(!isSignatureOf(entry, signed));
      assert.ok(!isSignatureOf({ ...entry, signature }, sign(hash, Buffer.from('another'), key)));
      assert.ok(!isSignatureOf({ ...entry, signature }, Buffer.alloc(0)));
    }
  });
}

test('a PGP signature is not read', () => {
  const key = { publicKey: '-----BEGIN PGP PUBLIC KEY BLOCK-----', keyId: '' };
  const entry = { ...image, signature: { ...image.signature, key } };
  assert.ok(!isSignatureOf(entry, image.signature.bytes));
});
