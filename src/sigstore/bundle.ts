import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { reasonOf } from '../errors.ts';
import {
  at,
  type Json,
  type JsonObject,
  listAt,
  member,
  objectIn,
  parseBounded,
  parseJson,
  textIn,
} from '../json.ts';
import { base64, pemOf } from '../keys/pem.ts';
import type { HashName, SignedArtifact, SigningKey, Transparency } from '../model/signature.ts';

/** The media type of Sigstore bundles, and the artifact type of their manifests. */
export const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** The parts of a bundle. */
interface BundleParts {
  readonly payload: Uint8Array;
  /** A DSSE envelope's JSON, or the signature itself. */
  readonly signature: Uint8Array;
  readonly isEnvelope: boolean;
  /** PEM. */
  readonly certificate?: string | undefined;
  /** Names the key when there is no certificate. */
  readonly hint: string;
  /** The digest of a payload that is signed without an envelope. */
  readonly digest: HashName;
  readonly transparency?: Transparency | undefined;
}

/** An entry as a Sigstore bundle, as JSON. */
export function bundleOf({ payload, signature, transparency }: SignedArtifact): JsonObject {
  return bundleFrom({
    payload: payload.bytes,
    signature: signature.bytes,
    isEnvelope: payload.dsseType !== undefined,
    certificate: signature.certificate,
    hint: hintOf(signature.key),
    digest: signature.key.algorithm?.digest ?? 'sha256',
    transparency,
  });
}

/** A Sigstore bundle (sigstore_bundle.proto, version 0.3), as JSON. */
export function bundleFrom(parts: BundleParts): JsonObject {
  const { payload, signature, certificate, hint, digest, transparency } = parts;
  const signer =
    certificate === undefined
      ? { publicKey: { hint } }
      : { certificate: { rawBytes: base64(new X509Certificate(certificate).raw) } };
  const verificationMaterial = { ...signer, ...evidenceOf(transparency) };
  if (parts.isEnvelope) {
    const dsseEnvelope = parseJson(Buffer.from(signature).toString('utf8'));
    return { mediaType: bundleType, verificationMaterial, dsseEnvelope };
  }
  const messageDigest = {
    algorithm: `SHA2_${digest.slice('sha'.length)}`,
    digest: createHash(digest).update(payload).digest('base64'),
  };
  const messageSignature = { messageDigest, signature: base64(signature) };
  return { mediaType: bundleType, verificationMaterial, messageSignature };
}

/** Log entries and timestamps as bundles hold them; empty if there are none. */
export function evidenceOf(transparency: Transparency | undefined): JsonObject {
  const { logEntries = [], timestamps = [] } = transparency ?? {};
  const rfc3161Timestamps = timestamps.map((one) => ({ signedTimestamp: base64(one) }));
  return {
    ...(logEntries.length === 0 ? {} : { tlogEntries: logEntries }),
    ...(timestamps.length === 0 ? {} : { timestampVerificationData: { rfc3161Timestamps } }),
  };
}

/** The certificate of the signer in PEM, alone or first in a chain as in older bundles; undefined if the bundle names a key. */
export function certificateIn(material: Json | undefined): string | undefined {
  const [first] = listAt(material, 'x509CertificateChain', 'certificates');
  const raw = at(material, 'certificate', 'rawBytes') ?? member(first, 'rawBytes');
  return raw === undefined ? undefined : pemOf('CERTIFICATE', Buffer.from(textIn(raw), 'base64'));
}

/** The evidence in the verification material of a bundle; undefined if there is none. */
export function transparencyIn(json: Json | undefined): Transparency | undefined {
  const logEntries = listAt(json, 'tlogEntries').map(objectIn);
  const timestamps = listAt(json, 'timestampVerificationData', 'rfc3161Timestamps').map((one) =>
    Buffer.from(textIn(at(one, 'signedTimestamp')), 'base64'),
  );
  return logEntries.length + timestamps.length === 0 ? undefined : { logEntries, timestamps };
}

/** The evidence in a bundle's JSON text; a string says why it can't be read. */
export function evidenceInBundle(json: Uint8Array | string): Transparency | string | undefined {
  return readable(json, (bundle) => transparencyIn(member(bundle, 'verificationMaterial')));
}

/** The evidence in the JSON text of a bundle's verification material; a string says why it can't be read. */
export function evidenceInMaterial(json: Uint8Array | string): Transparency | string | undefined {
  return readable(json, transparencyIn);
}

function readable(
  json: Uint8Array | string,
  find: (json: Json) => Transparency | undefined,
): Transparency | string | undefined {
  try {
    return find(parseBounded(Buffer.from(json).toString('utf8')));
  } catch (error) {
    return reasonOf(error);
  }
}

/** As cosign writes it: the base64 SHA-256 of the key in DER. A PGP key has no DER and is named by its id. */
function hintOf({ publicKey, keyId }: SigningKey): string {
  if (!publicKey.includes('BEGIN PUBLIC KEY')) return keyId;
  const der = createPublicKey(publicKey).export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(der).digest('base64');
}
