import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../errors.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import { mapAtMost } from '../../concurrency.ts';
import type { OpenStore } from '../store.ts';
import type { RepositoryClient } from '../../registry/client.ts';
import { bundleReferrer, createdAt } from './bundle.ts';
import { refused } from '../../registry/failures.ts';
import { imagesOf, type TargetImage } from './images.ts';
import { attestationLayer, type Layer, layerEntry, runType, signatureLayer, signedLayer } from './layers.ts';
import { addReferrer, type Referrer } from './referrers.ts';
import { openRegistries } from './open-registries.ts';
import { parseRepository, type Repository, repositoryName } from '../../registry/repository.ts';
import { addToTag, type TagOptions, TagTurns } from './tag.ts';

/**
 * The store `oci`: signatures and attestations in the registry of the image that they are about, as cosign finds them
 * (behaviour.md, "Stores"). A run that made no image has nowhere to be attached to, and nothing is stored.
 */
export const openOciStore: OpenStore = async (config, { access } = {}) => {
  const elsewhere = elsewhereIn(config);
  const registries = openRegistries(config, access);
  const turns = new TagTurns();
  return {
    async store(entry, signal) {
      const attach = async (image: TargetImage, from?: Repository): Promise<void> => {
        const source = await registries.open(image.repository, entry.artifact.run, signal);
        const client =
          elsewhere === undefined ? source : await registries.open(elsewhere, entry.artifact.run, signal);
        const place = { image, client, source, from, options: { turns, signal } };
        await encodings[encodingOf(entry, config)](entry, place);
      };
      // Once it is in one repository, its registry can mount it into others.
      const [first, ...others] = imagesOf(entry);
      const results = [
        ...(first === undefined ? [] : [await settled(attach(first))]),
        ...(await mapAtMost(imagesAtOnce, others, async (image) =>
          settled(attach(image, first?.repository)),
        )),
      ];
      signal?.throwIfAborted();
      const errors = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      );
      if (errors.length > 0) throw together(errors);
      return {};
    },
    places: (entry) =>
      imagesOf(entry).map(({ repository, digest }) => {
        const name = repositoryName(elsewhere ?? repository);
        const suffix = tagSuffixes[encodingOf(entry, config)];
        return suffix === undefined ? `referrer of ${name}@${digest}` : `${name}:${tagOf(digest, suffix)}`;
      }),
    close: () => registries.close(),
  };
};

/** Images that one entry is attached to at once. */
const imagesAtOnce = 8;

async function settled(work: Promise<void>): Promise<PromiseSettledResult<void>> {
  const [result] = await Promise.allSettled([work]);
  return result;
}

/** Where an entry is written, and about which image. */
interface Destination {
  readonly image: TargetImage;
  /** The repository that is written to. */
  readonly client: RepositoryClient;
  /** The image's own repository. */
  readonly source: RepositoryClient;
  /** Another repository that has the entry. */
  readonly from: Repository | undefined;
  readonly options: TagOptions;
}

/** The ends of the tags that entries are written at; those without one are referrers. */
const tagSuffixes = { signature: 'sig', attestation: 'att', bundle: undefined, run: undefined } as const;

/** How entries are written. */
const encodings = {
  signature: (entry: SignedArtifact, place: Destination) =>
    addLayer(signatureLayer(entry), tagSuffixes.signature, place),
  attestation: (entry: SignedArtifact, place: Destination) =>
    addLayer(attestationLayer(entry), tagSuffixes.attestation, place),
  bundle: (entry: SignedArtifact, place: Destination) => refer(bundleReferrer(entry), place),
  run: (entry: SignedArtifact, place: Destination) => refer(runReferrer(entry), place),
} as const;

function encodingOf({ payload }: SignedArtifact, config: Config): keyof typeof encodings {
  if (payload.format === 'tekton') return 'run';
  if (payload.dsseType === undefined) return 'signature';
  return config['storage.oci.encoding-format'] === 'dsse' ? 'attestation' : 'bundle';
}

async function addLayer(
  layer: Layer,
  suffix: string,
  { image, client, from, options }: Destination,
): Promise<void> {
  await addToTag(
    client,
    tagOf(image.digest, suffix),
    layerEntry(client, layer, mountable(from, client)),
    options,
  );
}

/** cosign's tag for what belongs to an image. */
function tagOf(digest: string, suffix: string): string {
  return `${digest.replace(':', '-')}.${suffix}`;
}

/** The path of a repository that the same registry can mount from. */
function mountable(from: Repository | undefined, { repository }: RepositoryClient): string | undefined {
  return from?.host === repository.host && from.path !== repository.path ? from.path : undefined;
}

async function refer(
  referrer: Referrer,
  { image, client, source, from, options }: Destination,
): Promise<void> {
  const manifest = await source.readManifest(image.digest);
  const name = `${repositoryName(image.repository)}@${image.digest}`;
  if (manifest === undefined)
    throw refused(`${name} is not in its registry: push the image, so that something can refer to it`);
  const { mediaType, size, digest } = manifest.descriptor;
  await addReferrer(client, { mediaType, size, digest }, referrer, {
    ...options,
    from: mountable(from, client),
  });
}

/** A run's status as it is, in the format `tekton`. */
function runReferrer(entry: SignedArtifact): Referrer {
  return { artifactType: runType, annotations: createdAt(entry), layer: signedLayer(entry, runType) };
}

/** The repository that takes everything, where one is set. @throws ChainsError CONFIG_INVALID */
export function elsewhereIn(config: Config): Repository | undefined {
  const name = config['storage.oci.repository'];
  if (name === undefined) return undefined;
  const repository = parseRepository(name);
  if (repository !== undefined) return repository;
  throw new ChainsError(
    'CONFIG_INVALID',
    `storage.oci.repository: \`${name}\` is not a repository; write \`HOST/PATH\` in lower case`,
  );
}

/** One error that says all: what may pass decides. */
function together(errors: readonly unknown[]): unknown {
  const known = errors.filter((error) => error instanceof ChainsError);
  const [first] = known;
  if (first === undefined || known.length < errors.length)
    return errors.find((error) => !(error instanceof ChainsError));
  if (known.length === 1) return first;
  const lead = known.find(({ terminal }) => !terminal) ?? first;
  const retryAfter = Math.max(...known.map((error) => error.retryAfter ?? 0));
  return new ChainsError(lead.code, known.map(({ message }) => message).join('; '), {
    cause: new AggregateError(known),
    ...(retryAfter > 0 ? { retryAfter } : {}),
  });
}
