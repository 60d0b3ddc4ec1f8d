import { type Json, listAt, member } from '../../json.ts';
import type { Sought, StoredEntry, StoredPlace } from '../../model/stored.ts';
import type { OpenReader, OpenStore } from '../store.ts';
import { ContainerAnalysis } from './container-analysis.ts';
import { entriesFor, noteIdOf } from './entries.ts';

/**
 * Opens the store `grafeas`: Container Analysis v1 with application default credentials. Each artifact URI gets one
 * occurrence of a note, which is created where it is missing; an occurrence that exists is not written again.
 */
export const openGrafeasStore: OpenStore = async (config, { timeout } = {}) => {
  const analysis = new ContainerAnalysis(config, timeout);
  return {
    async store(entry, signal) {
      const entries = entriesFor(entry, config);
      // A run without outputs has no URI to attach anything to.
      for (const uri of entries.resourceUris) await analysis.add(entries, uri, signal);
      return {};
    },
    places(entry) {
      const { noteId, resourceUris } = entriesFor(entry, config);
      return resourceUris.length === 0 ? [] : [analysis.noteName(noteId)];
    },
    close: () => analysis.close(),
  };
};

/**
 * Reads the store `grafeas`: the occurrences of the note of this kind of artifact, for each image and for whatever else
 * the run made.
 */
export const openGrafeasReader: OpenReader = async (config) => {
  const analysis = new ContainerAnalysis(config);
  return {
    async read(sought, signal) {
      const noteName = analysis.noteName(noteIdOf(sought.kind, sought.run.namespace, config));
      const lookFor = async (uri: string): Promise<StoredPlace> => {
        const place = `${noteName} for ${uri}`;
        const occurrences = await analysis.occurrences(noteName, uri, signal);
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
    return { place, payload: Buffer.from(payload, 'base64'), signature: Buffer.from(signature, 'base64') };
  }
  const stored = member(occurrence, 'envelope');
  const [payload, payloadType] = [member(stored, 'payload'), member(stored, 'payloadType')];
  if (typeof payload !== 'string' || typeof payloadType !== 'string') return undefined;
  const signatures = listAt(stored, 'signatures').map((one) => ({
    keyid: member(one, 'keyid') ?? '',
    sig: member(one, 'sig') ?? '',
  }));
  const envelope = { payloadType, payload, signatures };
  return { place, payload: Buffer.from(payload, 'base64'), signature: Buffer.from(JSON.stringify(envelope)) };
}
