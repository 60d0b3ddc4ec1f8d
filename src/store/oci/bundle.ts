import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { type JsonObject, member } from '../../json.ts';
import type { SignedArtifact, SigningKey } from '../../model/signature.ts';
import { parseContent } from '../../registry/content.ts';
import { predicateTypeOf } from './layers.ts';
import type { Referrer } from './referrers.ts';
import { readEnvelope } from '../../keys/dsse.ts';
import { holdsSame, mayHold } from './same-envelope.ts';

/** The media type of Sigstore bundles, and the artifact type of their manifests. */
export const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** A DSSE envelope as a Sigstore bundle that refers to the image (behaviour.md, "Stores"). */
export function bundleReferrer(entry: SignedArtifact): Referrer {
  return {
    artifactType: bundleType,
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateTypeOf(entry),
      ...createdAt(entry),
    },
    layer: {
      bytes: Buffer.from(JSON.stringify(bundleOf(entry)), 'utf8'),
      mediaType: bundleType,
      annotations: {},
      isSame: async ({ size }, read) => {
        if (!mayHold(size, entry.payload)) return false;
        const envelope = member(parseContent(await read(), 'a bundle'), 'dsseEnvelope');
        return holdsSame(readEnvelope(envelope), entry);
      },
    },
  };
}

/** When the run was completed: the same entry gives the same manifest, whenever it is written. */
export function createdAt({ artifact }: SignedArtifact): Readonly<Record<string, string>> {
  const { completedAt } = artifact.run;
  return completedAt === undefined
    ? {}
    : { 'org.opencontainers.image.created': completedAt.toISOString().replace(/\.\d+Z$/, 'Z') };
}

/** sigstore_bundle.proto, version 0.3, as JSON. */
function bundleOf({ signature }: SignedArtifact): JsonObject {
  const { certificate, key } = signature;
  const verificationMaterial =
    certificate === undefined
      ? { publicKey: { hint: hintOf(key) } }
      : { certificate: { rawBytes: new X509Certificate(certificate).raw.toString('base64') } };
  const dsseEnvelope = parseContent(signature.bytes, 'the envelope');
  return { mediaType: bundleType, verificationMaterial, dsseEnvelope };
}

/** What cosign writes: the base64 SHA-256 of the key in DER; a PGP key has none and goes by its id. */
function hintOf({ publicKey, keyId }: SigningKey): string {
  if (!publicKey.includes('BEGIN PUBLIC KEY')) return keyId;
  const der = createPublicKey(publicKey).export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(der).digest('base64');
}
