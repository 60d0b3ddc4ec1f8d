import { ChainsError } from '../errors.ts';
import { isJsonObject, type JsonObject, textIn } from '../json.ts';
import { base64 } from '../keys/pem.ts';
import type { SignedArtifact } from '../model/signature.ts';
import type { SignedContent } from '../sigstore/content.ts';
import { logEntryJson } from '../sigstore/log-entry.ts';
import { keyDetailsOf } from './fitness.ts';
import { failures, type Upload } from './service.ts';
import { readFromTiles, type TilesOptions } from './tiles.ts';

/**
 * Uploads a signature to a log of Rekor v2; an entry that exists already is read from the log's tiles. Envelopes are uploaded
 * as `hashedrekord` too, by the digest of what is signed, since the log accepts no other kind.
 * @throws ChainsError WITNESS_…
 */
export async function uploadToV2({ service, url, signed, content, logIds }: Upload): Promise<JsonObject> {
  const { artifact, signature } = signed;
  const what = `upload ${artifact.fullKey} to ${url}`;
  const answer = await service.call({
    what,
    method: 'POST',
    url: `${url}/api/v2/log/entries`,
    body: JSON.stringify({ hashedRekordRequestV002: requestOf(signature, content) }),
    expects: [409],
  });
  if (answer.status === 409) {
    const index = textIn([answer.headers['x-log-index']].flat()[0]);
    if (!/^\d{1,15}$/.test(index)) throw failures.unreadable(what, 'no index of the existing entry');
    return readLogged(Number(index), { service, url, logIds });
  }
  try {
    if (!isJsonObject(answer.body)) throw new Error('it is not an object');
    return logEntryJson(answer.body);
  } catch {
    throw failures.unreadable(what, 'no log entry that can be read');
  }
}

/** Not every log of version 2 serves its tiles at the address that accepts entries. */
async function readLogged(index: number, options: TilesOptions): Promise<JsonObject> {
  try {
    return await readFromTiles(index, options);
  } catch (error) {
    const isServed = !(error instanceof ChainsError) || ![404, 405, 501].includes(error.status ?? 0);
    if (isServed) throw error;
    throw new ChainsError(
      'LOG_ENTRY_UNREADABLE',
      `${options.url} has the signature already, as entry ${index}: ${error.message}`,
    );
  }
}

function requestOf(
  { key, certificate }: SignedArtifact['signature'],
  { signedDigest, signature, verifier }: SignedContent,
): JsonObject {
  const rawBytes = base64(verifier);
  return {
    digest: base64(signedDigest(key.algorithm?.digest ?? 'sha256') ?? new Uint8Array()),
    signature: {
      content: base64(signature),
      verifier: {
        ...(certificate === undefined ? { publicKey: { rawBytes } } : { x509Certificate: { rawBytes } }),
        keyDetails: keyDetailsOf(key),
      },
    },
  };
}
