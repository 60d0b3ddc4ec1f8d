import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateIn } from '../../src/sigstore/bundle.ts';

test('the certificate of a bundle stands alone, or first in the chain of an older version', () => {
  const rawBytes = Buffer.from('certificate').toString('base64');
  const pem = `-----BEGIN CERTIFICATE-----\n${rawBytes}\n-----END CERTIFICATE-----\n`;
  assert.equal(certificateIn({ certificate: { rawBytes } }), pem);
  assert.equal(
    certificateIn({ x509CertificateChain: { certificates: [{ rawBytes }, { rawBytes: 'AAAA' }] } }),
    pem,
  );
  assert.equal(certificateIn({ publicKey: { hint: 'SHA256:abc' } }), undefined);
  assert.equal(certificateIn(undefined), undefined);
});
