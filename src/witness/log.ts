import { unlessAborted } from '../concurrency.ts';
import type { Config } from '../config/keys.ts';
import type { Service } from '../http/service.ts';
import type { JsonObject } from '../json.ts';
import type { SignedArtifact } from '../model/signature.ts';
import type { SignedContent } from '../sigstore/content.ts';
import { readLogEntry } from '../sigstore/log-entry.ts';
import { proveEntry } from '../sigstore/proof.ts';
import type { Trust } from '../sigstore/trust.ts';
import { withoutTrailing } from '../text.ts';
import { proven } from './proven.ts';
import { uploadToV1 } from './rekor-v1.ts';
import { uploadToV2 } from './rekor-v2.ts';
import type { Upload } from './upload.ts';

/** Has a log take a signature, or gives the entry that it has already, in the JSON of protobuf. */
type UploadTo = (upload: Upload) => Promise<JsonObject>;

const apis: { readonly [A in Config['transparency.api']]: UploadTo } = { v1: uploadToV1, v2: uploadToV2 };

/** A transparency log. */
export interface TransparencyLog {
  /** The proven entry of a signature. @throws ChainsError WITNESS_…, EVIDENCE_INVALID */
  confirm(
    signed: SignedArtifact,
    content: SignedContent,
    signal: AbortSignal | undefined,
  ): Promise<JsonObject>;
}

/** Opens the log that the configuration names. @throws ChainsError TRUSTED_ROOT_INVALID */
export async function openTransparencyLog(
  config: Config,
  trust: Trust,
  service: Service,
): Promise<TransparencyLog> {
  const url = withoutTrailing(config['transparency.url'], '/');
  const uploadTo = apis[config['transparency.api']];
  /** Uploads in progress: runs that built the same image sign the same bytes, often at the same time. */
  const uploading = new Map<string, Promise<JsonObject>>();
  await trust.of('transparency log', url);

  function uploadOnce(upload: Upload): Promise<JsonObject> {
    const key = Buffer.from(upload.content.signature).toString('base64');
    const shared = uploading.get(key) ?? uploadTo(upload).finally(() => uploading.delete(key));
    uploading.set(key, shared);
    return shared;
  }

  return {
    async confirm(signed, content, signal) {
      const material = await trust.of('transparency log', url);
      const logIds = (material?.tlogs ?? []).map(({ logID }) => logID);
      const entry = await unlessAborted(signal, uploadOnce({ service, url, signed, content, logIds }));
      proven(url, signed.signature, () => proveEntry(readLogEntry(entry), content, material));
      return entry;
    },
  };
}
