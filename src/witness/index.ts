import { X509Certificate } from 'node:crypto';
import type { TrustMaterial } from '@sigstore/verify';
import { unlessAborted } from '../concurrency.ts';
import type { Config } from '../config/keys.ts';
import { planFor, proofsFor } from '../config/plan.ts';
import { ChainsError, reasonOf } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Signature, SignedArtifact, Transparency } from '../model/signature.ts';
import { heard, type HearSigstore } from '../model/sigstore.ts';
import { contentOf, type SignedContent } from '../sigstore/content.ts';
import { readLogEntry } from '../sigstore/log-entry.ts';
import { proveEntry, proveTimestamp } from '../sigstore/proof.ts';
import type { Trust } from '../sigstore/trust.ts';
import { withoutTrailing } from '../text.ts';
import { whyNotLogged } from './fitness.ts';
import { uploadToV1 } from './rekor-v1.ts';
import { uploadToV2 } from './rekor-v2.ts';
import { openWitnessService } from './service.ts';
import { requestTimestamp } from './timestamp.ts';

/** Has signatures confirmed by others, before they are stored (transparency.md, "The log"). */
export interface Witness {
  /**
   * What was confirmed of this signature, for the stores to keep with it, all of it proven where somebody can prove it. To ask
   * again for the same signature confirms nothing twice.
   * @throws ChainsError WITNESS_…, EVIDENCE_INVALID, TRUSTED_ROOT_INVALID
   */
  witness(signed: SignedArtifact, signal?: AbortSignal): Promise<Transparency>;
  close(): Promise<void>;
}

/** Whether anybody is asked to confirm signatures, so that this folder need not be loaded otherwise. */
export type OpenWitness = (config: Config, trust: Trust, hear?: HearSigstore) => Promise<Witness>;

/**
 * Opens the transparency log and the timestamp server that the configuration asks for. Nothing is asked of them yet.
 * @throws ChainsError TRUSTED_ROOT_INVALID
 */
export const openWitness: OpenWitness = async (config, trust, hear = () => {}) => {
  const log = withoutTrailing(config['transparency.url'], '/');
  const timestamps = config['transparency.tsa.url'];
  const service = openWitnessService();
  /** Runs that built the same image sign the same bytes, and a log is asked once for what comes at once. */
  const uploading = new Map<string, Promise<JsonObject>>();

  function uploadOnce(key: string, upload: () => Promise<JsonObject>): Promise<JsonObject> {
    const shared = uploading.get(key) ?? upload().finally(() => uploading.delete(key));
    uploading.set(key, shared);
    return shared;
  }

  async function timestampsOf(
    content: SignedContent,
    signature: Signature,
    signal: AbortSignal | undefined,
  ): Promise<readonly Uint8Array[]> {
    if (timestamps === undefined) return [];
    const material = await trust.of('timestamp server', timestamps);
    return heard(hear, 'timestamp', async () => {
      const timestamp = await requestTimestamp(service, timestamps, content.signature, signal);
      proven(timestamps, signature, () => proveTimestamp(timestamp, content, material));
      return [timestamp];
    });
  }

  async function entriesOf(
    signed: SignedArtifact,
    content: SignedContent,
    signal: AbortSignal | undefined,
  ): Promise<readonly JsonObject[]> {
    const { artifact } = signed;
    const plan = planFor(config, artifact.kind);
    if (proofsFor(config, plan.signer, artifact.run).log === undefined) return [];
    const unfit = whyNotLogged(
      config['transparency.api'],
      signed.signature.key,
      signed.payload.dsseType === undefined,
    );
    if (unfit !== undefined) throw new ChainsError('WITNESS_REFUSED', `${artifact.fullKey}: ${unfit}`);
    const material = await trust.of('transparency log', log);
    return heard(hear, 'log', async () => {
      const upload = () => uploadBy[config['transparency.api']](signed, content, material);
      const key = Buffer.from(content.signature).toString('base64');
      const entry = await unlessAborted(signal, uploadOnce(key, upload));
      proven(log, signed.signature, () => proveEntry(readLogEntry(entry), content, material));
      return [entry];
    });
  }

  const uploadBy: Readonly<
    Record<
      Config['transparency.api'],
      (
        signed: SignedArtifact,
        content: SignedContent,
        material: TrustMaterial | undefined,
      ) => Promise<JsonObject>
    >
  > = {
    v1: (signed, content) => uploadToV1(service, log, signed, content),
    v2: (signed, content, material) => {
      const logIds = (material?.tlogs ?? []).map(({ logID }) => logID);
      return uploadToV2(service, log, signed, content, logIds);
    },
  };

  // What can't be verified later is better known now.
  if (config['transparency.enabled'] !== 'false') await trust.of('transparency log', log);
  if (timestamps !== undefined) await trust.of('timestamp server', timestamps);
  return {
    async witness(signed, signal) {
      const content = contentOf(signed);
      // The timestamp first: it proves the time of a certificate even where the log is slow.
      const confirmed = await timestampsOf(content, signed.signature, signal);
      const envelope = { ...content, signature: signed.signature.bytes };
      const envelopeTimestamps = isKeptAsAttestation(config, signed)
        ? await timestampsOf(envelope, signed.signature, signal)
        : [];
      const logEntries = await entriesOf(signed, content, signal);
      return { timestamps: confirmed, envelopeTimestamps, logEntries };
    },
    close: () => service.close(),
  };
};

/** Whether cosign's tag for attestations gets it, where a timestamp is of the whole envelope. */
function isKeptAsAttestation(config: Config, { artifact, payload }: SignedArtifact): boolean {
  const isTagged = config['storage.oci.encoding-format'] === 'dsse';
  return payload.dsseType !== undefined && isTagged && planFor(config, artifact.kind).stores.includes('oci');
}

/** @throws ChainsError EVIDENCE_INVALID where it does not hold, or is of a moment at which the certificate was not valid */
function proven(url: string, { certificate }: Signature, prove: () => Date | undefined): void {
  try {
    const moment = prove();
    if (certificate === undefined || moment === undefined) return;
    const { validFromDate, validToDate } = new X509Certificate(certificate);
    if (moment < validFromDate || moment > validToDate)
      throw new Error(
        `it is of ${moment.toISOString()}, when the certificate was not valid (${validFromDate.toISOString()} to ${validToDate.toISOString()})`,
      );
  } catch (error) {
    throw new ChainsError('EVIDENCE_INVALID', `${url} answered what does not hold: ${reasonOf(error)}`);
  }
}
