import type { Config } from '../config/keys.ts';
import { planFor, proofsFor } from '../config/plan.ts';
import { ChainsError } from '../errors.ts';
import type { SignedArtifact, Transparency } from '../model/signature.ts';
import type { HearSigstore } from '../model/sigstore.ts';
import { contentOf } from '../sigstore/content.ts';
import { heard } from '../sigstore/heard.ts';
import { proveTimestamp } from '../sigstore/proof.ts';
import type { Trust } from '../sigstore/trust.ts';
import { whyNotLogged } from './fitness.ts';
import { openTransparencyLog } from './log.ts';
import { proven } from './proven.ts';
import { openWitnessService } from './service.ts';
import { requestTimestamp } from './timestamp.ts';

/** Has signatures confirmed by others, before they are stored (transparency.md, "The log"). */
export interface Witness {
  /**
   * Has a signature logged and timestamped, as the configuration asks, and proves the answers as far as there is a trusted root.
   * Asking again for the same signature logs nothing twice.
   * @throws ChainsError WITNESS_…, EVIDENCE_INVALID, TRUSTED_ROOT_INVALID
   */
  witness(signed: SignedArtifact, signal?: AbortSignal): Promise<Transparency>;
  close(): Promise<void>;
}

/**
 * Opens the transparency log and the timestamp server that the configuration asks for. Nothing is asked of them yet.
 * @throws ChainsError TRUSTED_ROOT_INVALID
 */
export async function openWitness(
  config: Config,
  trust: Trust,
  hear: HearSigstore = () => {},
): Promise<Witness> {
  const timestamps = config['transparency.tsa.url'];
  const service = openWitnessService();
  const log =
    config['transparency.enabled'] === 'false'
      ? undefined
      : await openTransparencyLog(config, trust, service);
  if (timestamps !== undefined) await trust.of('timestamp server', timestamps);

  /** @param bytes the signature, or the envelope around it */
  async function timestamp(
    url: string,
    { signature }: SignedArtifact,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const material = await trust.of('timestamp server', url);
    return heard(hear, 'timestamp', async () => {
      const response = await requestTimestamp(service, url, bytes, signal);
      proven(url, signature, () => proveTimestamp(response, bytes, material));
      return response;
    });
  }

  return {
    async witness(signed, signal) {
      const isLogged = log !== undefined && isForLog(config, signed);
      if (!isLogged && timestamps === undefined) return { logEntries: [], timestamps: [] };
      const content = contentOf(signed);
      const stamped = [
        content.signature,
        ...(isKeptAsAttestation(config, signed) ? [signed.signature.bytes] : []),
      ];
      // The timestamp first: it proves the time of a certificate even where the log is slow.
      const [own, ofEnvelope] =
        timestamps === undefined
          ? []
          : await Promise.all(stamped.map((bytes) => timestamp(timestamps, signed, bytes, signal)));
      const entry = isLogged
        ? await heard(hear, 'log', () => log.confirm(signed, content, signal))
        : undefined;
      return {
        timestamps: own === undefined ? [] : [own],
        envelopeTimestamps: ofEnvelope === undefined ? [] : [ofEnvelope],
        logEntries: entry === undefined ? [] : [entry],
      };
    },
    close: () => service.close(),
  };
}

/** Whether a signature goes to the log. @throws ChainsError WITNESS_REFUSED where it should, and the log takes none of this key */
function isForLog(config: Config, { artifact, payload, signature }: SignedArtifact): boolean {
  const plan = planFor(config, artifact.kind);
  if (proofsFor(config, plan.signer, artifact.run).log === undefined) return false;
  const isBare = payload.dsseType === undefined;
  const unfit = whyNotLogged(config['transparency.api'], signature.key, isBare);
  if (unfit === undefined) return true;
  throw new ChainsError('WITNESS_REFUSED', `${artifact.fullKey}: ${unfit}`);
}

/** Whether cosign's tag for attestations gets it, where a timestamp is of the whole envelope. */
function isKeptAsAttestation(config: Config, { artifact, payload }: SignedArtifact): boolean {
  const isTagged = config['storage.oci.encoding-format'] === 'dsse';
  return payload.dsseType !== undefined && isTagged && planFor(config, artifact.kind).stores.includes('oci');
}
