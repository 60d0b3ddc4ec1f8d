import { type JsonObject, listAt } from '../../json.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import type { RepositoryClient } from '../../registry/client.ts';
import { cosignEvidence, hasCosignEvidence, type LayerKind } from '../../sigstore/cosign-annotations.ts';
import {
  type Descriptor,
  descriptorsIn,
  digestOf,
  imageManifest,
  type Manifest,
  parseContent,
} from '../../registry/content.ts';
import { refused } from '../../registry/failures.ts';
import { statementOf } from './images.ts';
import { readEnvelope } from '../../keys/dsse.ts';
import { type KeptBeside, makesNeedless } from '../same-signature.ts';
import { holdsSame, mayHold } from './same-envelope.ts';
import type { TagEntry } from './tag.ts';

/** An entry as one layer of an image manifest, as cosign keeps signatures (`.sig`) and attestations (`.att`). */
export interface Layer {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Whether a layer that is there already says the same. */
  isSame(other: Descriptor, read: () => Promise<Uint8Array>): Promise<boolean>;
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

/** A payload that is signed as it is, with the signature in an annotation. */
export function signedLayer(entry: SignedArtifact, mediaType: string): Layer {
  const { payload, signature } = entry;
  return {
    bytes: payload.bytes,
    mediaType,
    annotations: {
      [signatureAnnotation]: Buffer.from(signature.bytes).toString('base64'),
      ...proofAnnotations(entry, 'signature'),
    },
    isSame: async ({ digest, annotations }) => {
      if (digest !== digestOf(payload.bytes)) return false;
      const other = Buffer.from(annotations?.[signatureAnnotation] ?? '', 'base64');
      return makesNeedless(entry, [other], keptBeside(annotations));
    },
  };
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
    isSame: async ({ size, annotations }, read) =>
      mayHold(size, entry.payload) &&
      holdsSame(readEnvelope(parseContent(await read(), 'an attestation')), entry, keptBeside(annotations)),
  };
}

/** The predicate's type in an entry's statement. */
export function predicateTypeOf(entry: SignedArtifact): string {
  const type = statementOf(entry)['predicateType'];
  return typeof type === 'string' ? type : '';
}

function keptBeside(annotations: Descriptor['annotations'] = {}): KeptBeside {
  return { certificate: annotations[certificateAnnotation], isConfirmed: hasCosignEvidence(annotations) };
}

/** What certifies the key, and what was confirmed of the signature, where there is any. */
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

/** A layer under a tag, next to the layers that others put there. @param from another repository of the registry that may have it */
export function layerEntry(client: RepositoryClient, layer: Layer, from?: string): TagEntry {
  const seen = new Map<string, Promise<boolean>>();
  /** What a layer says never changes, so each is read once, however often others write. */
  const says = (other: Descriptor): Promise<boolean> => {
    const key = JSON.stringify(other);
    const known = seen.get(key) ?? layer.isSame(other, () => client.readBlob(other));
    seen.set(key, known);
    return known;
  };
  return {
    async isIn(manifest) {
      for (const other of layersOf(manifest))
        if (isCandidate(other, layer) && (await says(other))) return true;
      return false;
    },
    async addTo(manifest) {
      const pushed = await client.pushBlob(layer.bytes, layer.mediaType, from);
      const layers = [...listAt(manifest?.json, 'layers'), { ...pushed, annotations: layer.annotations }];
      const digests = [...layersOf(manifest).map(({ digest }) => digest), pushed.digest];
      const config = await client.pushBlob(configOf(digests), 'application/vnd.oci.image.config.v1+json');
      const json = { ...emptyManifest, ...manifest?.json, config, layers };
      return { bytes: Buffer.from(JSON.stringify(json), 'utf8'), mediaType: imageManifest };
    },
  };
}

const emptyManifest = { schemaVersion: 2, mediaType: imageManifest };

/** Only attestations of the same predicate can hold the same; the others need not be read. */
function isCandidate({ mediaType, annotations }: Descriptor, layer: Layer): boolean {
  const type = layer.annotations['predicateType'];
  return mediaType === layer.mediaType && annotations?.['predicateType'] === type;
}

function layersOf(manifest: Manifest | undefined): readonly Descriptor[] {
  if (manifest !== undefined && !Array.isArray(manifest.json['layers'])) {
    throw refused(
      `${manifest.descriptor.digest} stands under the tag for signatures and is not an image manifest`,
    );
  }
  return descriptorsIn(manifest?.json, 'layers');
}

/** An image's configuration, as empty as it can be (image specification, "Image configuration"). */
function configOf(layers: readonly string[]): Uint8Array {
  const created = '0001-01-01T00:00:00Z';
  const config: JsonObject = {
    architecture: '',
    created,
    history: layers.map(() => ({ created })),
    os: '',
    rootfs: { type: 'layers', diff_ids: layers },
    config: {},
  };
  return Buffer.from(JSON.stringify(config), 'utf8');
}
