import { member } from '../../json.ts';
import type { StoredPlace, Sought } from '../../model/stored.ts';
import type { OpenReader } from '../store.ts';
import { mapAtMost } from '../../concurrency.ts';
import { type ImageEntry, readEntries } from './entries.ts';
import { openRegistries, sharedRepository } from './registries.ts';
import { jsonIn } from '../../registry/content.ts';
import { parseRepository } from '../../registry/repository.ts';

/** Images that are asked about at once. */
const imagesAtOnce = 8;

/** Reads the store `oci`: what is attached to each image, a run's attestations or the image's own signatures. */
export const openOciReader: OpenReader = async (config) => {
  const shared = sharedRepository(config);
  const registries = openRegistries(config);
  return {
    async read(sought, signal) {
      // With deep inspection, the attestation of a PipelineRun is attached to images that only its TaskRuns name.
      const isOfOthers = sought.images.length === 0;
      const names = isOfOthers ? sought.others : sought.images;
      const places = await mapAtMost(imagesAtOnce, names, async (image): Promise<readonly StoredPlace[]> => {
        const [name = '', digest = ''] = image.split('@');
        const repository = shared ?? parseRepository(name);
        // A name that is no repository's, such as a package's, has nothing attached to it.
        if (repository === undefined || !/^sha256:[0-9a-f]{64}$/.test(digest)) return [];
        const client = await registries.open(repository, undefined, signal);
        const entries = (await readEntries(client, digest)).filter((entry) => concerns(sought, entry));
        const found = entries.map(({ name: where, payload, signature, certificate, transparency }) => ({
          place: `${where} of ${image}`,
          ...{ payload, signature, certificate, transparency },
        }));
        return isOfOthers && found.length === 0 ? [] : [{ place: image, entries: found }];
      });
      return places.flat();
    },
    close: () => registries.close(),
  };
};

/** Whether an entry is of the kind that is looked for; an image's own signatures are next to attestations of its run. */
function concerns({ kind }: Sought, { form, payload }: ImageEntry): boolean {
  if (form === 'status') return true;
  // A payload that is not JSON is by others, or damaged; the verifier reports it.
  const predicateType = member(jsonIn(payload), 'predicateType');
  const isOfImage = form === 'signature' || predicateType === 'https://sigstore.dev/cosign/sign/v1';
  return isOfImage === (kind === 'oci');
}
