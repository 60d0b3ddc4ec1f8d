import type { Config } from '../../config/keys.ts';
import { storageKeyOf } from '../../model/artifact.ts';
import { ChainsError } from '../../errors.ts';
import type { Run } from '../../model/run.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import { bundleOf } from '../../sigstore/bundle.ts';
import type { Store } from '../store.ts';
import { type BucketOptions, openBucket } from './bucket.ts';

/** Opens the store `gcs`: objects in the bucket `storage.gcs.bucket`. @throws ChainsError CONFIG_INVALID without one */
export async function openGcsStore(config: Config): Promise<Store> {
  const name = config['storage.gcs.bucket'];
  if (name === undefined) {
    throw new ChainsError(
      'CONFIG_INVALID',
      'storage.gcs.bucket is not set: name the bucket of the store `gcs`',
    );
  }
  return openGcs({ name });
}

/**
 * Opens the store on a bucket. The signature is written last, so that a reader who finds one finds what it signs; certificate,
 * chain and bundle of a signature that is replaced by one without them are removed.
 */
export function openGcs(options: BucketOptions): Store {
  const bucket = openBucket(options);
  return {
    async store(entry, signal) {
      const { payload, certificate, chain, bundle, signature } = objectsOf(entry);
      const [seenPayload, seenSignature] = await Promise.all([
        bucket.look(payload.name, signal),
        bucket.look(signature.name, signal),
      ]);
      await bucket.put(payload, seenPayload, signal);
      for (const { name, bytes } of [certificate, chain, bundle]) {
        if (bytes !== undefined) await bucket.put({ name, bytes }, await bucket.look(name, signal), signal);
        else if (seenSignature !== undefined) await bucket.remove(name, signal);
      }
      await bucket.put(signature, seenSignature, signal);
      return {};
    },
    places: (entry) => [`gs://${options.name}/${objectsOf(entry).payload.name}`],
    close: () => bucket.close(),
  };
}

/** The objects of an entry (behaviour.md, "Stores"); those of an image lie in the folder of the run that built it. */
function objectsOf(entry: SignedArtifact) {
  const { artifact, payload, signature, transparency } = entry;
  const bundle = transparency === undefined ? undefined : bundleOf(entry);
  const path = `${folderOf(artifact.run)}/${storageKeyOf(artifact)}`;
  return {
    payload: { name: `${path}.payload`, bytes: payload.bytes },
    signature: { name: `${path}.signature`, bytes: signature.bytes },
    certificate: { name: `${path}.cert`, bytes: utf8(signature.certificate) },
    chain: { name: `${path}.chain`, bytes: utf8(signature.chain) },
    bundle: { name: `${path}.sigstore.json`, bytes: utf8(bundle && JSON.stringify(bundle)) },
  };
}

/** Where the objects of a run lie, and those of the images that it built. */
export function folderOf({ kind, namespace, name }: Pick<Run, 'kind' | 'namespace' | 'name'>): string {
  return `${kind.toLowerCase()}-${namespace}-${name}`;
}

function utf8(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'utf8');
}
