import { storageKeyOf } from '../../model/artifact.ts';
import type { Run } from '../../model/run.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import { bundleOf, evidenceInBundle } from '../../sigstore/bundle.ts';
import { required } from '../failures.ts';
import type { OpenReader, OpenStore } from '../store.ts';
import { Bucket } from './bucket.ts';

/**
 * Opens the store `gcs`: objects in the bucket `storage.gcs.bucket`. The signature is written last, so that a reader who
 * finds one finds what it signs; certificate, chain and bundle of a signature that is replaced by one without them are
 * removed.
 */
export const openGcsStore: OpenStore = async (config, { timeout } = {}) => {
  const bucket = new Bucket(required(config, 'gcs', 'storage.gcs.bucket'), timeout);
  return {
    async store(entry, signal) {
      const { payload, signature, transparency } = entry;
      const path = pathOf(entry);
      const bundle = transparency && JSON.stringify(bundleOf(entry));
      const [seenPayload, seenSignature] = await Promise.all([
        bucket.read(`${path}.payload`, signal),
        bucket.read(`${path}.signature`, signal),
      ]);
      await bucket.put(`${path}.payload`, payload.bytes, seenPayload, signal);
      for (const [suffix, text] of [
        ['cert', signature.certificate],
        ['chain', signature.chain],
        ['sigstore.json', bundle],
      ] as const) {
        const name = `${path}.${suffix}`;
        if (text !== undefined)
          await bucket.put(name, Buffer.from(text, 'utf8'), await bucket.read(name, signal), signal);
        else if (seenSignature !== undefined) await bucket.remove(name, signal);
      }
      await bucket.put(`${path}.signature`, signature.bytes, seenSignature, signal);
      return {};
    },
    places: (entry) => [`gs://${bucket.name}/${pathOf(entry)}.payload`],
    close: () => bucket.close(),
  };
};

/** Reads the store `gcs`: an artifact's objects by their names, a run's uid from those in its folder. */
export const openGcsReader: OpenReader = async (config) => {
  const bucket = new Bucket(required(config, 'gcs', 'storage.gcs.bucket'));
  return {
    async read({ run, key }, signal) {
      const path = `${folderOf(run)}/${key}`;
      const place = `gs://${bucket.name}/${path}`;
      const [payload, signature, cert, bundle] = await Promise.all(
        ['payload', 'signature', 'cert', 'sigstore.json'].map((suffix) =>
          bucket.read(`${path}.${suffix}`, signal),
        ),
      );
      if (payload === undefined && signature === undefined) return [{ place, entries: [] }];
      if (payload === undefined) return [{ place, entries: [], flaw: 'the payload is missing' }];
      if (signature === undefined) return [{ place, entries: [], flaw: 'the signature is missing' }];
      const certificate = cert && Buffer.from(cert.bytes).toString('utf8');
      const transparency = bundle && evidenceInBundle(bundle.bytes);
      const entry = { place, payload: payload.bytes, signature: signature.bytes, certificate, transparency };
      return [{ place, entries: [entry] }];
    },
    async uids(run, signal) {
      const prefix = `${folderOf(run)}/${run.kind.toLowerCase()}-`;
      const names = await bucket.list(prefix, signal);
      const end = '.signature';
      return names.filter((one) => one.endsWith(end)).map((one) => one.slice(prefix.length, -end.length));
    },
    close: () => bucket.close(),
  };
};

/** What the names of an entry's objects begin with (behaviour.md, "Stores"). */
function pathOf({ artifact }: SignedArtifact): string {
  return `${folderOf(artifact.run)}/${storageKeyOf(artifact)}`;
}

/** Where the objects of a run lie, and those of the images that it built. */
function folderOf({ kind, namespace, name }: Pick<Run, 'kind' | 'namespace' | 'name'>): string {
  return `${kind.toLowerCase()}-${namespace}-${name}`;
}
