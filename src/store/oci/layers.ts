import { member, textIn } from '../../json.ts';
import { readEnvelope } from '../../keys/dsse.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import { type Descriptor, digestOf, parseContent } from '../../registry/content.ts';
import { bundleOf, bundleType, certificateIn, transparencyIn } from '../../sigstore/bundle.ts';
import { cosignEvidence, hasCosignEvidence, type LayerKind } from '../../sigstore/cosign-annotations.ts';
import { statementOf } from './images.ts';
import { isRedundant, isRedundantTo, mayHold, type StoredProof } from './redundant.ts';

/** An entry as one layer of an image manifest, as cosign keeps signatures (`.sig`) and attestations (`.att`). */
export interface Layer {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Whether a layer that is there already makes this one redundant. */
  isIn(other: Descriptor, read: () => Promise<Uint8Array>): Promise<boolean>;
}

/** An entry as an artifact of its own that refers to the image (image specification 1.1, "Artifacts"). */
export interface Referrer {
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly layer: Layer;
}

/** The annotation of a layer that holds its signature, in base64. */
export const signatureAnnotation = 'dev.cosignproject.cosign/signature';

/** The annotation of a layer that holds the certificate of its signature, in PEM. */
export const certificateAnnotation = 'dev.sigstore.cosign/certificate';

/** The artifact type of a run's status, in the format `tekton`. */
export const runType = 'application/vnd.dev.tekton.chains.taskrun.v1+json';

/** An image's signature as cosign keeps it. */
export function signatureLayer(entry: SignedArtifact): Layer {
  return signedLayer(entry, 'application/vnd.dev.cosign.simplesigning.v1+json');
}

/** A run's attestation: the DSSE envelope. */
export function attestationLayer(entry: SignedArtifact): Layer {
  return {
    bytes: entry.signature.bytes,
    mediaType: 'application/vnd.dsse.envelope.v1+json',
    annotations: {
      [signatureAnnotation]: '',
      predicateType: predicateTypeOf(entry),
      ...proofAnnotations(entry, 'attestation'),
    },
    isIn: async ({ size, annotations }, read) =>
      mayHold(size, entry.payload) &&
      isRedundantTo(readEnvelope(parseContent(await read(), 'an attestation')), entry, proofIn(annotations)),
  };
}

/** A run's status as it is, in the format `tekton`. */
export function statusReferrer(entry: SignedArtifact): Referrer {
  return { artifactType: runType, annotations: createdAt(entry), layer: signedLayer(entry, runType) };
}

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
      isIn: async ({ size }, read) => {
        if (!mayHold(size, entry.payload)) return false;
        const bundle = parseContent(await read(), 'a bundle');
        const material = member(bundle, 'verificationMaterial');
        return isRedundantTo(readEnvelope(member(bundle, 'dsseEnvelope')), entry, {
          certificate: certificateIn(material),
          isConfirmed: transparencyIn(material) !== undefined,
        });
      },
    },
  };
}

/** A payload that is signed as it is, with the signature in an annotation. */
function signedLayer(entry: SignedArtifact, mediaType: string): Layer {
  const { payload, signature } = entry;
  return {
    bytes: payload.bytes,
    mediaType,
    annotations: {
      [signatureAnnotation]: Buffer.from(signature.bytes).toString('base64'),
      ...proofAnnotations(entry, 'signature'),
    },
    isIn: async ({ digest, annotations }) => {
      if (digest !== digestOf(payload.bytes)) return false;
      const other = Buffer.from(annotations?.[signatureAnnotation] ?? '', 'base64');
      return isRedundant(entry, [other], proofIn(annotations));
    },
  };
}

function predicateTypeOf(entry: SignedArtifact): string {
  return textIn(statementOf(entry)['predicateType']);
}

/** When the run was completed, so that the same entry gives the same manifest whenever it is written. */
function createdAt({ artifact }: SignedArtifact): Readonly<Record<string, string>> {
  const { completedAt } = artifact.run;
  return completedAt === undefined
    ? {}
    : { 'org.opencontainers.image.created': completedAt.toISOString().replace(/\.\d+Z$/, 'Z') };
}

function proofIn(annotations: Descriptor['annotations'] = {}): StoredProof {
  return { certificate: annotations[certificateAnnotation], isConfirmed: hasCosignEvidence(annotations) };
}

/** The certificates of the key, and the evidence of logs and timestamps, where there are any. */
function proofAnnotations(
  { signature, transparency }: SignedArtifact,
  kind: LayerKind,
): Readonly<Record<string, string>> {
  const { certificate, chain } = signature;
  return {
    ...(certificate === undefined ? {} : { [certificateAnnotation]: certificate }),
    ...(chain === undefined ? {} : { 'dev.sigstore.cosign/chain': chain }),
    ...cosignEvidence(transparency, kind),
  };
}
