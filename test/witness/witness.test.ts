import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { signingKeyOf } from '../../src/keys/key-id.ts';
import { whyNotLogged } from '../../src/witness/fitness.ts';
import { timestampQuery } from '../../src/witness/timestamp.ts';
import { keyPairs } from '../sign/keys.ts';
import { rsaKeyPair } from '../sign/rsa-keys.ts';

/** Which keys a log takes: in envelopes, and bare. */
const fitting: Readonly<Record<string, Readonly<Record<'v1' | 'v2', readonly [boolean, boolean]>>>> = {
  'ECDSA P-256': { v1: [true, true], v2: [true, true] },
  'ECDSA P-384': { v1: [true, true], v2: [false, false] },
  'ECDSA P-521': { v1: [true, true], v2: [false, false] },
  Ed25519: { v1: [true, false], v2: [false, false] },
  RSA: { v1: [true, true], v2: [true, true] },
};
for (const [name, apis] of Object.entries(fitting)) {
  for (const api of ['v1', 'v2'] as const) {
    test(`a log of ${api} takes ${name}, or says why not`, () => {
      const key = signingKeyOf(keyPairs[name]?.().publicKey ?? assert.fail(name));
      for (const [index, isTaken] of apis[api].entries()) {
        const why = whyNotLogged(api, key, index === 1);
        assert.equal(why === undefined, isTaken, why);
        if (why !== undefined) assert.match(why, /^the key is .*; use /);
      }
    });
  }
}

test('a log takes no PGP signatures, no PSS, and in envelopes of version 1 no other digest than SHA-256', () => {
  const ec = signingKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey, { digest: 'sha384' });
  assert.ok(whyNotLogged('v1', ec, false));
  assert.equal(whyNotLogged('v1', ec, true), undefined);
  assert.equal(whyNotLogged('v2', ec, false), undefined);
  const rsa = rsaKeyPair(2048).publicKey;
  for (const api of ['v1', 'v2'] as const)
    assert.ok(whyNotLogged(api, signingKeyOf(rsa, { digest: 'sha256', pss: true }), true));
  assert.match(whyNotLogged('v1', { publicKey: '', keyId: '' }, true) ?? '', /PGP/);
});

test('a question for a timestamp is that of RFC 3161', () => {
  const sha256 = createHash('sha256').update('x').digest();
  const query = timestampQuery(sha256, Buffer.from('0102030405060708', 'hex'));
  assert.equal(
    Buffer.from(query).toString('hex'),
    `30440201013031300d060960864801650304020105000420${sha256.toString('hex')}02090101020304050607080101ff`,
  );
});
