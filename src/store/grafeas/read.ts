import { at, type Json, listAt, member } from '../../json.ts';
import type { StoredPlace, Sought, StoredEntry } from '../../model/stored.ts';
import type { OpenReader } from '../store.ts';
import { openContainerAnalysis } from './index.ts';
import { noteIdOf } from './entries.ts';

/**
 * Reads the store `grafeas`: the occurrences of the note of this kind of artifact, for each image and for whatever else
 * the run made.
 */
export const openGrafeasReader: OpenReader = async (config) => {
  const analysis = openContainerAnalysis(config);
  return {
    async read(sought, signal) {
      const noteId = noteIdOf(sought.kind, sought.run.namespace, config);
      const lookFor = async (uri: string): Promise<StoredPlace> => {
        const { noteName, occurrences } = await analysis.occurrences(noteId, uri, signal);
        const place = `${noteName} for ${uri}`;
        return { place, entries: occurrences.flatMap((one) => entryIn(one, sought, place) ?? []) };
      };
      const ofImages = await Promise.all(sought.images.map(lookFor));
      // Formats differ in which subjects they have besides images.
      const ofOthers = await Promise.all(sought.others.map(lookFor));
      return [...ofImages, ...ofOthers.filter(({ entries }) => entries.length > 0)];
    },
    close: () => analysis.close(),
  };
};

function entryIn(occurrence: Json, { kind }: Sought, place: string): StoredEntry | undefined {
  if (kind === 'oci') {
    const attestation = member(occurrence, 'attestation');
    const [first] = listAt(attestation, 'signatures');
    const [payload, signature] = [member(attestation, 'serializedPayload'), member(first, 'signature')];
    if (typeof payload !== 'string' || typeof signature !== 'string') return undefined;
    return {
      place,
      payload: Buffer.from(payload, 'base64'),
      signature: Buffer.from(signature, 'base64'),
    };
  }
  const [payload, payloadType] = [
    at(occurrence, 'envelope', 'payload'),
    at(occurrence, 'envelope', 'payloadType'),
  ];
  if (typeof payload !== 'string' || typeof payloadType !== 'string') return undefined;
  const signatures = listAt(occurrence, 'envelope', 'signatures').map((one) => ({
    keyid: member(one, 'keyid') ?? '',
    sig: member(one, 'sig') ?? '',
  }));
  const envelope = { payloadType, payload, signatures };
  return { place, payload: Buffer.from(payload, 'base64'), signature: Buffer.from(JSON.stringify(envelope)) };
}
