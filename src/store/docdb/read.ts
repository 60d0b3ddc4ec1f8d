import type { StoredPlace } from '../../model/stored.ts';
import { evidenceInBundle } from '../../sigstore/bundle.ts';
import type { OpenReader } from '../store.ts';
import type { ReadDocument } from './collection.ts';
import { openCollection } from './index.ts';

/** Reads the store `docdb`: an artifact's document by its id. */
export const openDocdbReader: OpenReader = async (config) => {
  const { reference, collection } = await openCollection(config);
  return {
    async read({ key }, signal) {
      const place = `${reference.scheme}://${reference.path}/${key}`;
      const document = await collection.get(key, signal);
      return [document === undefined ? { place, entries: [] } : foundIn(place, document)];
    },
    close: () => collection.close(),
  };
};

function foundIn(
  place: string,
  { Signed: payload, Signature: text, Cert: certificate, Bundle: bundle }: ReadDocument,
): StoredPlace {
  if (payload === undefined) return { place, entries: [], flaw: 'its field Signed is missing' };
  if (text === undefined) return { place, entries: [], flaw: 'its field Signature is missing' };
  const signature = Buffer.from(text, 'base64');
  const transparency = bundle === undefined ? undefined : evidenceInBundle(bundle);
  return signature.toString('base64') === text
    ? { place, entries: [{ place, payload, signature, certificate, transparency }] }
    : { place, entries: [], flaw: 'its field Signature is not padded standard base64' };
}
