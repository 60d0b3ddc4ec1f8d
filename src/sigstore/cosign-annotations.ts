import { type Json, member, objectIn, parseBounded, textIn, type JsonObject } from '../json.ts';
import { reasonOf } from '../errors.ts';
import { base64 } from '../keys/pem.ts';
import type { Transparency } from '../model/signature.ts';

const bundleName = 'dev.sigstore.cosign/bundle';
const timestampName = 'dev.sigstore.cosign/rfc3161timestamp';

/** A layer holds an image's signature in an annotation, or an attestation in its blob, whose timestamp is of the whole blob. */
export type LayerKind = 'signature' | 'attestation';

/** The evidence in a layer's annotations, as cosign writes them: a log's promise and a timestamp (transparency.md, "The log"). */
export function cosignEvidence(
  transparency: Transparency | undefined,
  kind: LayerKind,
): Readonly<Record<string, string>> {
  const { logEntries = [], timestamps = [], envelopeTimestamps = [] } = transparency ?? {};
  const [entry] = logEntries.flatMap((one) => promiseOf(one) ?? []);
  const [timestamp] = kind === 'signature' ? timestamps : envelopeTimestamps;
  const stamped = timestamp && { SignedRFC3161Timestamp: base64(timestamp) };
  return {
    ...(entry && { [bundleName]: JSON.stringify(entry) }),
    ...(stamped && { [timestampName]: JSON.stringify(stamped) }),
  };
}

/** Undefined for an entry without a promise: logs of version 2 give none. */
function promiseOf(entry: JsonObject): JsonObject | undefined {
  const promise = member(entry['inclusionPromise'], 'signedEntryTimestamp');
  if (promise === undefined) return undefined;
  return {
    SignedEntryTimestamp: promise,
    Payload: {
      body: entry['canonicalizedBody'],
      integratedTime: Number(entry['integratedTime']),
      logIndex: Number(entry['logIndex']),
      logID: Buffer.from(textIn(member(entry['logId'], 'keyId')), 'base64').toString('hex'),
    },
  };
}

/** Whether a layer's annotations hold any evidence. */
export function hasCosignEvidence(annotations: Readonly<Record<string, string>>): boolean {
  return bundleName in annotations || timestampName in annotations;
}

/** The evidence in the annotations of a layer; a string says why it can't be read. */
export function evidenceIn(
  annotations: Readonly<Record<string, string>>,
  kind: LayerKind,
): Transparency | string | undefined {
  const [bundle, timestamp] = [annotations[bundleName], annotations[timestampName]];
  if (!hasCosignEvidence(annotations)) return undefined;
  try {
    const found =
      timestamp === undefined
        ? []
        : [Buffer.from(textIn(member(parseBounded(timestamp), 'SignedRFC3161Timestamp')), 'base64')];
    return {
      logEntries: bundle === undefined ? [] : [entryOf(parseBounded(bundle))],
      timestamps: kind === 'signature' ? found : [],
      envelopeTimestamps: kind === 'signature' ? [] : found,
    };
  } catch (error) {
    return reasonOf(error);
  }
}

function entryOf(bundle: Json): JsonObject {
  const { body, integratedTime, logIndex, logID } = objectIn(member(bundle, 'Payload'));
  const read = parseBounded(Buffer.from(textIn(body), 'base64').toString('utf8'));
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(textIn(logID), 'hex').toString('base64') },
    kindVersion: { kind: textIn(member(read, 'kind')), version: textIn(member(read, 'apiVersion')) },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: textIn(member(bundle, 'SignedEntryTimestamp')) },
    canonicalizedBody: textIn(body),
  };
}
