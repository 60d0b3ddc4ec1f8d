import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { extract } from '../../../src/extract/index.ts';
import type { SignedArtifact } from '../../../src/model/signature.ts';
import { attestationLayer, bundleReferrer, signatureLayer } from '../../../src/store/oci/layers.ts';
import { createAuthority } from '../../kubernetes/certificates.ts';
import { digest, taskRun } from '../../runs.ts';

const authority = createAuthority('a CA');
const { cert } = authority.issue('a signer');
const run = taskRun({
  completionTime: '2026-01-01T10:01:00.5Z',
  results: [{ name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` }],
});
const [artifact] = extract(run).artifacts.filter(({ kind }) => kind === 'oci');
assert.ok(artifact);
const key = { publicKey: '', keyId: 'SHA256:key' };
const certified = { key, certificate: cert, chain: authority.cert };
const statement = Buffer.from('{"predicateType":"https://example.com/p/v1"}');
const envelope = { payloadType: 'application/vnd.in-toto+json', payload: '', signatures: [] };
const attested: SignedArtifact = {
  artifact,
  payload: { bytes: statement, format: 'in-toto', dsseType: envelope.payloadType },
  signature: { ...certified, bytes: Buffer.from(JSON.stringify(envelope)) },
};

test('a certificate and its chain stand in annotations of the layer', () => {
  const signed = {
    artifact,
    payload: { bytes: Buffer.from('{}'), format: 'simplesigning' },
    signature: { ...certified, bytes: Buffer.from([1, 2, 3]) },
  };
  assert.deepEqual(signatureLayer(signed).annotations, {
    'dev.cosignproject.cosign/signature': 'AQID',
    'dev.sigstore.cosign/certificate': cert,
    'dev.sigstore.cosign/chain': authority.cert,
  });
  assert.deepEqual(attestationLayer(attested).annotations, {
    'dev.cosignproject.cosign/signature': '',
    predicateType: 'https://example.com/p/v1',
    'dev.sigstore.cosign/certificate': cert,
    'dev.sigstore.cosign/chain': authority.cert,
  });
});

test("a bundle holds the certificate in DER, without its chain; its manifest bears the run's time", () => {
  const { annotations, layer } = bundleReferrer(attested);
  assert.deepEqual(JSON.parse(Buffer.from(layer.bytes).toString()), {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { certificate: { rawBytes: new X509Certificate(cert).raw.toString('base64') } },
    dsseEnvelope: envelope,
  });
  assert.deepEqual(annotations, {
    'dev.sigstore.bundle.content': 'dsse-envelope',
    'dev.sigstore.bundle.predicateType': 'https://example.com/p/v1',
    'org.opencontainers.image.created': '2026-01-01T10:01:00Z',
  });
});

test('a bundle without certificate hints at the key: a PGP key by its id', () => {
  const { layer } = bundleReferrer({ ...attested, signature: { key, bytes: attested.signature.bytes } });
  const { verificationMaterial } = JSON.parse(Buffer.from(layer.bytes).toString());
  assert.deepEqual(verificationMaterial, { publicKey: { hint: 'SHA256:key' } });
});
