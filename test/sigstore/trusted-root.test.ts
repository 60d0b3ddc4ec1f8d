import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTrustedRoot } from '../../src/sigstore/trusted-root.ts';
import { shippedTrustedRoot } from '../../src/sigstore/trust.ts';
import { recordedRoot } from './recorded.ts';

test('the trusted root of the public instance is shipped, with all that it needs', () => {
  const root = shippedTrustedRoot();
  assert.ok(root.logs.includes('https://rekor.sigstore.dev'));
  assert.ok(
    root.has('certificate authority') && root.has('transparency log') && root.has('timestamp server'),
  );
  assert.ok(root.material.ctlogs.length > 0);
});

for (const [what, text] of [
  ['no JSON', '<html>'],
  ['another media type', '{"mediaType":"application/json","tlogs":[]}'],
  ['too deep', `{"mediaType":${'['.repeat(300)}${']'.repeat(300)}}`],
] as const) {
  test(`a file that is not a trusted root is refused with its name: ${what}`, () => {
    assert.throws(() => parseTrustedRoot(text, 'root.json'), {
      code: 'TRUSTED_ROOT_INVALID',
      message: /^root\.json can't be used: /,
    });
  });
}

test('a key that is valid from no moment on makes a trusted root invalid', () => {
  const publicKey = { rawBytes: '', keyDetails: 'PKIX_ED25519', validFor: { end: '2026-01-01T00:00:00Z' } };
  const log = { baseUrl: 'https://log', hashAlgorithm: 'SHA2_256', publicKey, logId: { keyId: 'AAAA' } };
  assert.throws(() => recordedRoot({ tlogs: [log] }), { message: /has no beginning/ });
});
