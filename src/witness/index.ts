import { X509Certificate } from 'node:crypto';
import { unlessAborted } from '../concurrency.ts';
import type { Config } from '../config/keys.ts';
import { planFor, proofsFor } from '../config/plan.ts';
import { ChainsError, reasonOf } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Signature, SignedArtifact, Transparency } from '../model/signature.ts';
import type { SigstoreListener } from '../model/sigstore.ts';
import { contentOf } from '../sigstore/content.ts';
import { readLogEntry } from '../sigstore/log-entry.ts';
import { proveEntry, proveTimestamp } from '../sigstore/proof.ts';
import { reportOutcome } from '../sigstore/report.ts';
import type { Trust } from '../sigstore/trust.ts';
import { withoutTrailing } from '../text.ts';
import { whyNotLogged } from './fitness.ts';
import { uploadToV1 } from './rekor-v1.ts';
import { uploadToV2 } from './rekor-v2.ts';
import { openWitnessService, type Upload } from './service.ts';
import { requestTimestamp } from './timestamp.ts';

/** Has signatures confirmed by others, before they are stored (transparency.md, "The log"). */
export interface Witness {
  /**
   * Has a signature logged and timestamped, as the configuration asks, and verifies the answers if there is a trusted root.
   * Calling it again for the same signature logs nothing twice.
   * @throws ChainsError WITNESS_…, EVIDENCE_INVALID, TRUSTED_ROOT_INVALID
   */
  witness(signed: SignedArtifact, signal?: AbortSignal): Promise<Transparency>;
  close(): Promise<void>;
}

/** Uploads a signature and returns its log entry, or the one that the log already has, in protobuf's JSON. */
const uploads: { readonly [A in Config['transparency.api']]: (upload: Upload) => Promise<JsonObject> } = {
  v1: uploadToV1,
  v2: uploadToV2,
};

/**
 * Opens the transparency log and the timestamp server that the configuration names. No request is sent to them yet.
 * @throws ChainsError TRUSTED_ROOT_INVALID
 */
export async function openWitness(
  config: Config,
  trust: Trust,
  onSigstore: SigstoreListener,
): Promise<Witness> {
  const service = openWitnessService();
  const logUrl =
    config['transparency.enabled'] === 'false' ? undefined : withoutTrailing(config['transparency.url'], '/');
  const timestampUrl = config['transparency.tsa.url'];
  if (logUrl !== undefined) await trust.of('transparency log', logUrl);
  if (timestampUrl !== undefined) await trust.of('timestamp server', timestampUrl);
  /** Runs that built the same image sign the same bytes, often at the same time. */
  const uploading = new Map<string, Promise<JsonObject>>();

  function uploadOnce(upload: Upload): Promise<JsonObject> {
    const key = Buffer.from(upload.content.signature).toString('base64');
    const shared =
      uploading.get(key) ?? uploads[config['transparency.api']](upload).finally(() => uploading.delete(key));
    uploading.set(key, shared);
    return shared;
  }

  async function log(
    { url, signed, content }: Pick<Upload, 'url' | 'signed' | 'content'>,
    signal: AbortSignal | undefined,
  ): Promise<JsonObject> {
    const material = await trust.of('transparency log', url);
    const logIds = (material?.tlogs ?? []).map(({ logID }) => logID);
    const entry = await unlessAborted(signal, uploadOnce({ service, url, signed, content, logIds }));
    verifyAnswer(url, signed.signature, () => proveEntry(readLogEntry(entry), content, material));
    return entry;
  }

  /** @param bytes the signature, or the envelope that holds it */
  async function timestamp(
    url: string,
    { signature }: SignedArtifact,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const material = await trust.of('timestamp server', url);
    return reportOutcome(onSigstore, 'timestamp', async () => {
      const response = await requestTimestamp(service, url, bytes, signal);
      verifyAnswer(url, signature, () => proveTimestamp(response, bytes, material));
      return response;
    });
  }

  return {
    async witness(signed, signal) {
      const url = logUrl !== undefined && isForLog(config, signed) ? logUrl : undefined;
      if (url === undefined && timestampUrl === undefined) return { logEntries: [], timestamps: [] };
      const content = contentOf(signed);
      const toStamp = [
        content.signature,
        ...(isKeptAsAttestation(config, signed) ? [signed.signature.bytes] : []),
      ];
      // The timestamp first: it proves the time of a certificate even if the log is slow.
      const stamps =
        timestampUrl === undefined
          ? []
          : await Promise.all(toStamp.map((bytes) => timestamp(timestampUrl, signed, bytes, signal)));
      const logEntries =
        url === undefined
          ? []
          : [await reportOutcome(onSigstore, 'log', () => log({ url, signed, content }, signal))];
      return { timestamps: stamps.slice(0, 1), envelopeTimestamps: stamps.slice(1), logEntries };
    },
    close: () => service.close(),
  };
}

/** Whether a signature goes to the log. @throws ChainsError WITNESS_REFUSED when the log does not accept this key */
function isForLog(config: Config, { artifact, payload, signature }: SignedArtifact): boolean {
  const plan = planFor(config, artifact.kind);
  if (proofsFor(config, plan.signer, artifact.run).log === undefined) return false;
  const isBare = payload.dsseType === undefined;
  const why = whyNotLogged(config['transparency.api'], signature.key, isBare);
  if (why === undefined) return true;
  throw new ChainsError('WITNESS_REFUSED', `${artifact.fullKey}: ${why}`);
}

/** Whether it is stored at cosign's tag for attestations, which needs a timestamp of the whole envelope. */
function isKeptAsAttestation(config: Config, { artifact, payload }: SignedArtifact): boolean {
  const isTagged = config['storage.oci.encoding-format'] === 'dsse';
  return payload.dsseType !== undefined && isTagged && planFor(config, artifact.kind).stores.includes('oci');
}

/**
 * Verifies what a service answered about a signature.
 * @param prove returns the time that the answer proves, if any
 * @throws ChainsError EVIDENCE_INVALID, also for a time at which the certificate was not valid
 */
function verifyAnswer(url: string, { certificate }: Signature, prove: () => Date | undefined): void {
  try {
    const time = prove();
    if (certificate === undefined || time === undefined) return;
    const { validFromDate, validToDate } = new X509Certificate(certificate);
    if (time >= validFromDate && time <= validToDate) return;
    const valid = `${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
    throw new Error(`it is of ${time.toISOString()}, when the certificate was not valid (${valid})`);
  } catch (error) {
    throw new ChainsError('EVIDENCE_INVALID', `the answer of ${url} does not verify: ${reasonOf(error)}`);
  }
}
