import type { Config } from '../../config/keys.ts';
import { caught, ChainsError } from '../../errors.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import { mapAtMost } from '../../concurrency.ts';
import type { OpenStore } from '../store.ts';
import type { RepositoryClient } from '../../registry/client.ts';
import type { Descriptor } from '../../registry/content.ts';
import { refused } from '../../registry/failures.ts';
import { type Repository, repositoryName } from '../../registry/repository.ts';
import { imagesOf, type TargetImage } from './images.ts';
import {
  attestationLayer,
  bundleReferrer,
  type Layer,
  type Referrer,
  signatureLayer,
  statusReferrer,
} from './layers.ts';
import { addReferrer } from './referrers.ts';
import { openRegistries, sharedRepository } from './registries.ts';
import { addLayer, TagTurns } from './tag.ts';

/** Images that one entry is attached to at once. */
const imagesAtOnce = 8;

/**
 * The store `oci`: signatures and attestations in the registry of the image that they are about, as cosign finds them
 * (behaviour.md, "Stores"). For a run that made no image nothing is stored.
 */
export const openOciStore: OpenStore = async (config, { access } = {}) => {
  const shared = sharedRepository(config);
  const registries = openRegistries(config, access);
  const turns = new TagTurns();

  async function attach(
    entry: SignedArtifact,
    image: TargetImage,
    from?: Repository,
    signal?: AbortSignal,
  ): Promise<void> {
    const { run } = entry.artifact;
    const source = await registries.open(image.repository, run, signal);
    const client = shared === undefined ? source : await registries.open(shared, run, signal);
    const options = { turns, from: mountable(from, client), signal };
    const encoding = encodingOf(entry, config);
    if ('suffix' in encoding) {
      await addLayer(client, tagOf(image.digest, encoding.suffix), encoding.layer(entry), options);
    } else {
      const referrer = encoding.referrer(entry);
      await addReferrer(client, await subjectIn(source, image), referrer, options);
    }
  }

  return {
    async store(entry, signal) {
      const [first, ...others] = imagesOf(entry);
      if (first === undefined) return {};
      // Once the entry is in one repository, its registry can mount it into others.
      const outcomes = [
        await caught(() => attach(entry, first, undefined, signal)),
        ...(await mapAtMost(imagesAtOnce, others, (image) =>
          caught(() => attach(entry, image, first.repository, signal)),
        )),
      ];
      signal?.throwIfAborted();
      const error = together(outcomes.filter((outcome) => outcome instanceof ChainsError));
      if (error !== undefined) throw error;
      return {};
    },
    places(entry) {
      const encoding = encodingOf(entry, config);
      return imagesOf(entry).map(({ repository, digest }) => {
        const name = repositoryName(shared ?? repository);
        return 'suffix' in encoding
          ? `${name}:${tagOf(digest, encoding.suffix)}`
          : `referrer of ${name}@${digest}`;
      });
    },
    close: () => registries.close(),
  };
};

/** How an entry is written: as a layer under one of cosign's tags, or as a referrer. */
type Encoding =
  | { readonly suffix: 'sig' | 'att'; readonly layer: (entry: SignedArtifact) => Layer }
  | { readonly referrer: (entry: SignedArtifact) => Referrer };

function encodingOf({ payload }: SignedArtifact, config: Config): Encoding {
  if (payload.format === 'tekton') return { referrer: statusReferrer };
  if (payload.dsseType === undefined) return { suffix: 'sig', layer: signatureLayer };
  return config['storage.oci.encoding-format'] === 'dsse'
    ? { suffix: 'att', layer: attestationLayer }
    : { referrer: bundleReferrer };
}

/** cosign's tag for what belongs to an image. */
function tagOf(digest: string, suffix: string): string {
  return `${digest.replace(':', '-')}.${suffix}`;
}

/** The path of a repository that the same registry can mount from. */
function mountable(from: Repository | undefined, { repository }: RepositoryClient): string | undefined {
  return from?.host === repository.host && from.path !== repository.path ? from.path : undefined;
}

/** The descriptor of an image, by which a manifest refers to it. */
async function subjectIn(source: RepositoryClient, { repository, digest }: TargetImage): Promise<Descriptor> {
  const manifest = await source.readManifest(digest);
  if (manifest !== undefined) return manifest.descriptor;
  throw refused(
    `${repositoryName(repository)}@${digest} is not in its registry: push the image, so that something can refer to it`,
  );
}

/** One error with the messages of all; whether trying again can help, one of them decides. */
function together(errors: readonly ChainsError[]): ChainsError | undefined {
  const lead = errors.find(({ terminal }) => !terminal) ?? errors[0];
  if (lead === undefined || errors.length === 1) return lead;
  const unexpected = errors.find(({ code }) => code === 'UNEXPECTED');
  if (unexpected !== undefined) return unexpected;
  const retryAfter = Math.max(...errors.map((error) => error.retryAfter ?? 0));
  return new ChainsError(lead.code, errors.map(({ message }) => message).join('; '), {
    cause: new AggregateError(errors),
    ...(retryAfter > 0 ? { retryAfter } : {}),
  });
}
