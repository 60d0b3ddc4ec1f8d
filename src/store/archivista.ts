import { createHash } from 'node:crypto';
import type { Config } from '../config/keys.ts';
import { inTotoType } from '../model/dsse.ts';
import { ChainsError } from '../model/errors.ts';
import { member } from '../model/json.ts';
import type { SignedArtifact } from '../model/signature.ts';
import { type JsonService, openJsonService } from './json-service.ts';
import { required, unfit } from './settings.ts';
import type { Store } from './store.ts';
import { patience } from './within.ts';

/**
 * Opens the store `archivista`: envelopes are POSTed to `/upload`, and the answer must name what was sent.
 * @param options `timeout`: milliseconds to wait for an answer
 * @throws ChainsError CONFIG_INVALID without `storage.archivista.url`
 */
export async function openArchivistaStore(
  config: Config,
  { timeout = patience }: { readonly timeout?: number } = {},
): Promise<Store> {
  const url = `${required(config, 'archivista', 'storage.archivista.url').replace(/\/+$/, '')}/upload`;
  const service = openJsonService(timeout);
  return {
    async store(entry, signal) {
      await upload(service, url, entry, signal);
      return {};
    },
    close: () => service.close(),
  };
}

/**
 * Archivista files an envelope under the hash of its bytes, and cannot be asked for a payload by its upload API. So one
 * that is sent again is found to be there, but a payload that is signed anew, by a key whose signatures differ each time
 * (ECDSA), becomes a second envelope.
 */
async function upload(
  service: JsonService,
  url: string,
  { artifact, payload, signature }: SignedArtifact,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (payload.dsseType !== inTotoType) {
    throw unfit('archivista', artifact, payload, artifact.kind === 'oci' ? undefined : 'in-toto');
  }
  const what = `upload ${artifact.fullKey} to ${url}`;
  try {
    const { body } = await service.call({ what, method: 'POST', url, body: signature.bytes, signal });
    const answered = member(body, 'gitoid');
    const sent = gitoid(signature.bytes);
    if (answered !== sent && answered !== `gitoid:blob:sha256:${sent}`) {
      throw new ChainsError(
        'STORE_UNAVAILABLE',
        `${what}: the answer does not confirm what was sent, which is ${sent}; is a proxy in between?`,
      );
    }
  } catch (error) {
    if (!isThereAlready(error)) throw error;
  }
}

/** The hash that git gives a blob, with SHA-256: 64 hex digits. */
export function gitoid(bytes: Uint8Array): string {
  return createHash('sha256').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** Archivista has no status for it: its database's word for a row that is there reaches the client with a 500. */
function isThereAlready(error: unknown): boolean {
  return error instanceof ChainsError && error.status === 500 && /gitoid_sha256/.test(error.message);
}
