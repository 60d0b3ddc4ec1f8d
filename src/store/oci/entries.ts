import { strictBase64 } from '../../text.ts';
import { type Json, member } from '../../json.ts';
import { mapAtMost } from '../../concurrency.ts';
import { bundleType, certificateIn, transparencyIn } from '../../sigstore/bundle.ts';
import { evidenceIn, type LayerKind } from '../../sigstore/cosign-annotations.ts';
import type { StoredEntry } from '../../model/stored.ts';
import type { RepositoryClient } from '../../registry/client.ts';
import { type Descriptor, descriptorsIn, parseContent } from '../../registry/content.ts';
import { certificateAnnotation, runType, signatureAnnotation } from './layers.ts';
import { readEnvelope } from '../../keys/dsse.ts';

/** How an entry is kept: a layer of `.sig` or `.att`, a Sigstore bundle, or a run's status that refers to the image. */
export type EntryForm = 'signature' | 'attestation' | 'bundle' | 'status';

/** A signature, attestation or status that is stored with an image. */
export interface ImageEntry extends Omit<StoredEntry, 'place'> {
  readonly form: EntryForm;
  /** Where: `sha256-….sig layer 1`, `referrer sha256:…`. */
  readonly name: string;
}

/** All that is stored about an image, by this program, cosign or another Chains. @throws ChainsError STORE_… */
export async function readEntries(client: RepositoryClient, digest: string): Promise<readonly ImageEntry[]> {
  const tag = digest.replace(':', '-');
  return [
    ...(await layersUnder(client, `${tag}.sig`, 'signature')),
    ...(await layersUnder(client, `${tag}.att`, 'attestation')),
    ...(await referrersOf(client, digest, tag)),
  ];
}

/** Entries that are read at once: each may be some MiB long. */
const atOnce = 4;

async function layersUnder(
  client: RepositoryClient,
  tag: string,
  form: EntryForm,
): Promise<readonly ImageEntry[]> {
  const manifest = await client.readManifest(tag);
  const entries = await mapAtMost(atOnce, descriptorsIn(manifest?.json, 'layers'), (layer, index) =>
    entryIn(client, layer, form, `${tag.slice(0, 19)}….${tag.slice(-3)} layer ${index + 1}`),
  );
  return entries.flat();
}

async function referrersOf(
  client: RepositoryClient,
  digest: string,
  tag: string,
): Promise<readonly ImageEntry[]> {
  const listed =
    (await client.referrers(digest)) ?? descriptorsIn((await client.readManifest(tag))?.json, 'manifests');
  const entries = await mapAtMost(atOnce, listed, async (referrer) => {
    const manifest = await client.readManifest(referrer.digest);
    const form = formOf(manifest?.json['artifactType']);
    const [layer] = descriptorsIn(manifest?.json, 'layers');
    if (form === undefined || layer === undefined) return [];
    return entryIn(client, layer, form, `referrer ${referrer.digest.slice(0, 19)}…`);
  });
  return entries.flat();
}

function formOf(artifactType: Json | undefined): EntryForm | undefined {
  return artifactType === bundleType ? 'bundle' : artifactType === runType ? 'status' : undefined;
}

async function entryIn(
  client: RepositoryClient,
  layer: Descriptor,
  form: EntryForm,
  name: string,
): Promise<readonly ImageEntry[]> {
  const read = await readers[form](client, layer);
  return read === undefined ? [] : [{ name, form, ...read }];
}

type ReadLayer = (
  client: RepositoryClient,
  layer: Descriptor,
) => Promise<Omit<StoredEntry, 'place'> | undefined>;

const readers: { readonly [F in EntryForm]: ReadLayer } = {
  signature: signedBlob,
  attestation: envelopeBlob,
  bundle: bundleBlob,
  status: signedBlob,
};

/** A payload with its signature in an annotation. */
async function signedBlob(client: RepositoryClient, layer: Descriptor): ReturnType<ReadLayer> {
  const signature = layer.annotations?.[signatureAnnotation];
  return signature === undefined
    ? undefined
    : {
        payload: await client.readBlob(layer),
        signature: strictBase64(signature) ?? new Uint8Array(),
        ...proofOf(layer, 'signature'),
      };
}

/** The certificate and evidence in a layer's annotations. */
function proofOf(
  { annotations = {} }: Descriptor,
  kind: LayerKind,
): Pick<StoredEntry, 'certificate' | 'transparency'> {
  return { certificate: annotations[certificateAnnotation], transparency: evidenceIn(annotations, kind) };
}

async function envelopeBlob(client: RepositoryClient, layer: Descriptor): ReturnType<ReadLayer> {
  const signature = await client.readBlob(layer);
  const envelope = readEnvelope(parseContent(signature, 'an attestation'));
  return envelope === undefined
    ? undefined
    : { payload: Buffer.from(envelope.payload, 'base64'), signature, ...proofOf(layer, 'attestation') };
}

async function bundleBlob(client: RepositoryClient, layer: Descriptor): ReturnType<ReadLayer> {
  const bundle = parseContent(await client.readBlob(layer), 'a bundle');
  const json = member(bundle, 'dsseEnvelope');
  const envelope = readEnvelope(json);
  if (envelope === undefined) return undefined;
  const material = member(bundle, 'verificationMaterial');
  return {
    payload: Buffer.from(envelope.payload, 'base64'),
    signature: Buffer.from(JSON.stringify(json), 'utf8'),
    certificate: certificateIn(material),
    transparency: transparencyIn(material),
  };
}
