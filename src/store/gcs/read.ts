import { evidenceInBundle } from '../../sigstore/bundle.ts';
import type { OpenReader } from '../store.ts';
import { required } from '../settings.ts';
import { openBucket } from './bucket.ts';
import { folderOf } from './index.ts';

const end = '.signature';

/** Reads the store `gcs`: an artifact's objects by their names, a run's uid from those in its folder. */
export const openGcsReader: OpenReader = async (config) => {
  const name = required(config, 'gcs', 'storage.gcs.bucket');
  const bucket = openBucket({ name });
  return {
    async read({ run, key }, signal) {
      const object = `${folderOf(run)}/${key}`;
      const place = `gs://${name}/${object}`;
      const [payload, signature, cert, bundle] = await Promise.all([
        bucket.look(`${object}.payload`, signal),
        bucket.look(`${object}.signature`, signal),
        bucket.look(`${object}.cert`, signal),
        bucket.look(`${object}.sigstore.json`, signal),
      ]);
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
      return names.filter((one) => one.endsWith(end)).map((one) => one.slice(prefix.length, -end.length));
    },
    close: () => bucket.close(),
  };
};
