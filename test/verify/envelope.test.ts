import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signedMessage } from '../../src/verify/envelope.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { spki } from '../sign/keys.ts';
import { rsaKeyPair } from '../sign/rsa-keys.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const statement = '{"_type":"https://in-toto.io/Statement/v1","subject":[]}';

function envelopeOf(payload: string, payloadType: string): Buffer {
  return Buffer.from(
    JSON.stringify({ payloadType, payload: base64(payload), signatures: [{ keyid: '', sig: base64('s') }] }),
  );
}

test('a statement is accepted only in a DSSE envelope of its type, and such an envelope only with a statement', () => {
  const inToto = 'application/vnd.in-toto+json';
  const signed = signedMessage(Buffer.from(statement), envelopeOf(statement, inToto));
  assert.equal(typeof signed, 'object');
  assert.match(
    String(signedMessage(Buffer.from(statement), Buffer.from('a bare signature'))),
    /accepted only in a DSSE envelope/,
  );
  assert.match(
    String(signedMessage(Buffer.from(statement), envelopeOf(statement, 'text/plain'))),
    /of the type "text\/plain", not application\/vnd\.in-toto\+json/,
  );
  for (const payload of ['{"conditions":[]}', '{"_type":"statement"}', '[]', 'text'])
    assert.match(
      String(signedMessage(Buffer.from(payload), envelopeOf(payload, inToto))),
      /does not hold an in-toto statement/,
    );
});

test('RSA keys under 2048 bits do not verify', async () => {
  const { publicKey } = rsaKeyPair(1024);
  await assert.rejects(readKeys([spki(publicKey)]), {
    code: 'KEY_INVALID',
    message: /an RSA key of 1024 bits; .* RSA of 2048 bits or more/,
  });
});
