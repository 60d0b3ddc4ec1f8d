import { strictBase64 } from '../../text.ts';
import { member, textIn } from '../../json.ts';
import { mapAtMost } from '../../concurrency.ts';
import { besideIn, bundleType, transparencyIn } from '../../sigstore/bundle.ts';
import { evidenceIn, type LayerKind } from '../../sigstore/cosign-annotations.ts';
import type { Transparency } from '../../model/signature.ts';
import type { RepositoryClient } from '../../registry/client.ts';
import { type Descriptor, descriptorsIn, parseContent } from '../../registry/content.ts';
import { certificateAnnotation, runType, signatureAnnotation } from './layers.ts';
import { readEnvelope } from '../../keys/dsse.ts';

/** How an entry is kept: a layer of `.sig` or `.att`, a Sigstore bundle, or a run's status that refers to the image. */
export type EntryForm = 'signature' | 'attestation' | 'bundle' | 'status';

/** Something that is signed about an image, as it was found. */
export interface ImageEntry {
  readonly form: EntryForm;
  /** Where: `sha256-….sig layer 1`, `referrer sha256:…`. */
  readonly name: string;
  readonly payload: Uint8Array;
  /** A DSSE envelope's JSON, or the signature itself. */
  readonly signature: Uint8Array;
  /** PEM. */
  readonly certificate?: string | undefined;
  /** What was confirmed of the signature; a text says why it can't be read. */
  readonly transparency?: Transparency | string | undefined;
}

/** All that is stored about an image, by this program, cosign or another Chains. @throws ChainsError STORE_… */
export async function readEntries(client: RepositoryClient, digest: string): Promise<readonly ImageEntry[]> {
  const tag = digest.replace(':', '-');
  return [
    ...(await layersUnder(client, `${tag}.sig`, { form: 'signature', read: signedBlob })),
    ...(await layersUnder(client, `${tag}.att`, { form: 'attestation', read: envelopeBlob })),
    ...(await referrersOf(client, digest, tag)),
  ];
}

/** Entries that are read at once: each may be some MiB long. */
const atOnce = 4;

interface Reader {
  readonly form: EntryForm;
  readonly read: (
    client: RepositoryClient,
    layer: Descriptor,
  ) => Promise<Omit<ImageEntry, 'form' | 'name'> | undefined>;
}

type EntryRead = ReturnType<Reader['read']>;

async function layersUnder(
  client: RepositoryClient,
  tag: string,
  { form, read }: Reader,
): Promise<readonly ImageEntry[]> {
  const manifest = await client.readManifest(tag);
  const entries = await mapAtMost(atOnce, descriptorsIn(manifest?.json, 'layers'), async (layer, index) => {
    const entry = await read(client, layer);
    return entry === undefined
      ? []
      : [{ name: `${tag.slice(0, 19)}….${tag.slice(-3)} layer ${index + 1}`, form, ...entry }];
  });
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
    const reader = readers.get(textIn(manifest?.json['artifactType']));
    const [layer] = descriptorsIn(manifest?.json, 'layers');
    if (reader === undefined || layer === undefined) return [];
    const entry = await reader.read(client, layer);
    return entry === undefined
      ? []
      : [{ name: `referrer ${referrer.digest.slice(0, 19)}…`, form: reader.form, ...entry }];
  });
  return entries.flat();
}

/** A payload with its signature in an annotation. */
async function signedBlob(client: RepositoryClient, layer: Descriptor): EntryRead {
  const signature = layer.annotations?.[signatureAnnotation];
  return signature === undefined
    ? undefined
    : {
        payload: await client.readBlob(layer),
        signature: strictBase64(signature) ?? new Uint8Array(),
        ...besideOf(layer, 'signature'),
      };
}

/** What a layer's annotations say of its signature. */
function besideOf(
  { annotations = {} }: Descriptor,
  kind: LayerKind,
): Pick<ImageEntry, 'certificate' | 'transparency'> {
  return { certificate: annotations[certificateAnnotation], transparency: evidenceIn(annotations, kind) };
}

async function envelopeBlob(client: RepositoryClient, layer: Descriptor): EntryRead {
  const signature = await client.readBlob(layer);
  const envelope = readEnvelope(parseContent(signature, 'an attestation'));
  return envelope === undefined
    ? undefined
    : { payload: Buffer.from(envelope.payload, 'base64'), signature, ...besideOf(layer, 'attestation') };
}

async function bundleBlob(client: RepositoryClient, layer: Descriptor): EntryRead {
  const bundle = parseContent(await client.readBlob(layer), 'a bundle');
  const json = member(bundle, 'dsseEnvelope');
  const envelope = readEnvelope(json);
  if (envelope === undefined) return undefined;
  return {
    payload: Buffer.from(envelope.payload, 'base64'),
    signature: Buffer.from(JSON.stringify(json), 'utf8'),
    certificate: besideIn(bundle).certificate,
    transparency: transparencyIn(member(bundle, 'verificationMaterial')),
  };
}

/** What referrers of each artifact type hold. */
const readers = new Map<string, Reader>([
  [bundleType, { form: 'bundle', read: bundleBlob }],
  [runType, { form: 'status', read: signedBlob }],
]);
