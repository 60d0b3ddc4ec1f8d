import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { inTotoType, preAuthEncoding } from '../../src/keys/dsse.ts';
import { signers, signPayload } from '../../src/sign/index.ts';
import { pkcs8, secretsWith } from './keys.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const openX509 = await signers.x509();
const signer = await openX509(parseConfig({}).config, secretsWith({ 'x509.pem': pkcs8(privateKey) }));
const bytes = Buffer.from('{"a":"é"}');

test('the pre-authentication encoding states both lengths in bytes', () => {
  assert.equal(
    Buffer.from(preAuthEncoding('http://example.com/é', bytes)).toString(),
    'DSSEv1 21 http://example.com/é 10 {"a":"é"}',
  );
});

test('a payload with a DSSE type is signed in an envelope with one signature over the encoding', async () => {
  const { bytes: stored, key } = await signPayload(signer, {
    bytes,
    format: 'in-toto',
    dsseType: inTotoType,
  });
  const envelope = JSON.parse(Buffer.from(stored).toString());
  assert.deepEqual(Object.keys(envelope), ['payloadType', 'payload', 'signatures']);
  assert.equal(envelope.payloadType, 'application/vnd.in-toto+json');
  assert.equal(envelope.payload, bytes.toString('base64'));
  const [{ keyid, sig }] = envelope.signatures;
  assert.equal(keyid, key.keyId);
  const message = preAuthEncoding(inTotoType, bytes);
  assert.ok(verify('sha256', message, createPublicKey(privateKey), Buffer.from(sig, 'base64')));
});

test('a payload without a DSSE type is signed as it is', async () => {
  const signature = await signPayload(signer, { bytes, format: 'tekton' });
  assert.ok(verify('sha256', bytes, createPublicKey(privateKey), signature.bytes));
});
