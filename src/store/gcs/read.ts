import type { OpenReader } from '../readers.ts';
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
      const [payload, signature] = await Promise.all([
        bucket.look(`${object}.payload`, signal),
        bucket.look(`${object}.signature`, signal),
      ]);
      if (payload === undefined && signature === undefined) return [{ place, entries: [] }];
      if (payload === undefined) return [{ place, entries: [], flaw: 'the payload is missing' }];
      if (signature === undefined) return [{ place, entries: [], flaw: 'the signature is missing' }];
      return [{ place, entries: [{ place, payload: payload.bytes, signature: signature.bytes }] }];
    },
    async uids(run, signal) {
      const prefix = `${folderOf(run)}/${run.kind.toLowerCase()}-`;
      const names = await bucket.list(prefix, signal);
      return names.filter((one) => one.endsWith(end)).map((one) => one.slice(prefix.length, -end.length));
    },
    close: () => bucket.close(),
  };
};
