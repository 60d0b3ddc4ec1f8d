import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../model/errors.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import type { OpenStore } from '../store.ts';
import type { RepositoryClient } from './client.ts';
import { imagesOf, type TargetImage } from './images.ts';
import { attestationLayer, layerEntry, signatureLayer } from './layers.ts';
import { Registries } from './registries.ts';
import { parseRepository, type Repository } from './repository.ts';
import { addToTag, type TagOptions, Turns } from './tag.ts';

/**
 * The store `oci`: signatures and attestations in the registry of the image that they are about, as cosign finds them
 * (behaviour.md, “Stores”). A run that made no image has nowhere to be attached to, and nothing is stored.
 */
export const openOciStore: OpenStore = async (config, access = {}) => {
  const elsewhere = elsewhereIn(config);
  const registries = new Registries(config, access);
  const turns = new Turns();
  return {
    async store(entry, signal) {
      const attach = async (image: TargetImage): Promise<void> => {
        const client = await registries.open(elsewhere ?? image.repository, entry.artifact.run, signal);
        await attachTo(image, entry, client, { turns, signal });
      };
      const results = await Promise.allSettled(imagesOf(entry).map(attach));
      signal?.throwIfAborted();
      const errors = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      );
      if (errors.length > 0) throw together(errors);
      return {};
    },
    close: () => registries.close(),
  };
};

async function attachTo(
  { digest }: TargetImage,
  entry: SignedArtifact,
  client: RepositoryClient,
  options: TagOptions,
): Promise<void> {
  const [layer, suffix] =
    entry.payload.dsseType === undefined ? [signatureLayer(entry), 'sig'] : [attestationLayer(entry), 'att'];
  await addToTag(client, `${digest.replace(':', '-')}.${suffix}`, layerEntry(client, layer), options);
}

function elsewhereIn(config: Config): Repository | undefined {
  const name = config['storage.oci.repository'];
  if (name === undefined) return undefined;
  const repository = parseRepository(name);
  if (repository !== undefined) return repository;
  throw new ChainsError(
    'CONFIG_INVALID',
    `storage.oci.repository: \`${name}\` is no repository; write \`HOST/PATH\` in lower case`,
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
