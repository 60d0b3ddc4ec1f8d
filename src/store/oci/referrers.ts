import type { RepositoryClient } from '../../registry/client.ts';
import {
  describeContent,
  type Descriptor,
  descriptorsIn,
  imageIndex,
  imageManifest,
} from '../../registry/content.ts';
import type { Referrer } from './layers.ts';
import { repositoryName } from '../../registry/repository.ts';
import { addToTag, type TagEntry, type WriteOptions } from './tag.ts';

const emptyType = 'application/vnd.oci.empty.v1+json';
const emptyBlob = Buffer.from('{}');

/**
 * Adds a referrer, unless an equal one is there. Where the registry has no referrers API, it is entered into the index
 * under the referrers tag (distribution specification, "Referrers Tag Schema").
 */
export async function addReferrer(
  client: RepositoryClient,
  subject: Descriptor,
  referrer: Referrer,
  options: WriteOptions,
): Promise<void> {
  // A run and its image may have the same payload, and only one of the two finds the other if both look at once.
  await options.turns.take(`${repositoryName(client.repository)}@${subject.digest}`, async () => {
    const tag = subject.digest.replace(':', '-');
    const known = await client.referrers(subject.digest);
    const listed = known ?? descriptorsIn((await client.readManifest(tag))?.json, 'manifests');
    for (const other of listed) if (await isEqual(client, other, referrer)) return;
    const { bytes, descriptor } = await pushParts(client, subject, referrer, options.from);
    const tracked = await client.pushManifest(descriptor.digest, bytes, imageManifest);
    const entry: TagEntry = {
      mediaType: imageIndex,
      list: 'manifests',
      isIn: async (others) => others.some(({ digest }) => digest === descriptor.digest),
      push: async () => ({ descriptor }),
    };
    // Registries that have the API don't always say so in their answer.
    if (!tracked && known === undefined) await addToTag(client, tag, entry, options);
  });
}

async function pushParts(
  client: RepositoryClient,
  subject: Descriptor,
  { artifactType, annotations, layer }: Referrer,
  from: string | undefined,
): Promise<{ bytes: Uint8Array; descriptor: Descriptor }> {
  const config = await client.pushBlob(emptyBlob, emptyType);
  const pushed = await client.pushBlob(layer.bytes, layer.mediaType, from);
  const noted = Object.keys(layer.annotations).length === 0 ? {} : { annotations: layer.annotations };
  const manifest = {
    schemaVersion: 2,
    mediaType: imageManifest,
    artifactType,
    config,
    layers: [{ ...pushed, ...noted }],
    subject,
    annotations,
  };
  const bytes = Buffer.from(JSON.stringify(manifest), 'utf8');
  return { bytes, descriptor: { ...describeContent(bytes, imageManifest), artifactType, annotations } };
}

/** Only what may be of our type is read; some registries list the type of the configuration instead of the artifact's. */
async function isEqual(client: RepositoryClient, other: Descriptor, referrer: Referrer): Promise<boolean> {
  const { artifactType, annotations = {} } = other;
  if (artifactType !== undefined && artifactType !== referrer.artifactType && artifactType !== emptyType)
    return false;
  const differs = Object.entries(referrer.annotations).some(
    ([key, value]) => key.endsWith('.predicateType') && (annotations[key] ?? value) !== value,
  );
  if (differs) return false;
  const manifest = await client.readManifest(other.digest);
  if (manifest?.json['artifactType'] !== referrer.artifactType) return false;
  const [layer] = descriptorsIn(manifest.json, 'layers');
  return layer !== undefined && referrer.layer.isIn(layer, () => client.readBlob(layer));
}
