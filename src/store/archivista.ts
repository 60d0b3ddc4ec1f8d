import { createHash } from 'node:crypto';
import type { Config } from '../config/keys.ts';
import { inTotoType } from '../keys/dsse.ts';
import { ChainsError } from '../errors.ts';
import { includesSignatureOf } from '../keys/signed-by.ts';
import { listAt, member } from '../json.ts';
import type { SignedArtifact } from '../model/signature.ts';
import { type ServiceAnswer, openService, type Service } from '../http/service.ts';
import { failures, patience } from './failures.ts';
import { required, unfit } from './settings.ts';
import type { Store } from './store.ts';
import { withoutTrailing } from '../text.ts';

/**
 * Opens the store `archivista`: envelopes are POSTed to `/upload`, and the answer must name what was sent.
 * @param options `timeout`: milliseconds to wait for an answer
 * @throws ChainsError CONFIG_INVALID without `storage.archivista.url`
 */
export async function openArchivistaStore(
  config: Config,
  { timeout = patience }: { readonly timeout?: number } = {},
): Promise<Store> {
  const url = withoutTrailing(required(config, 'archivista', 'storage.archivista.url'), '/');
  const service = openService({ failures, reasonIn, timeout });
  return {
    async store(entry, signal) {
      const { artifact, payload } = entry;
      if (payload.dsseType !== inTotoType) {
        throw unfit('archivista', artifact, payload, artifact.kind === 'oci' ? undefined : 'in-toto');
      }
      if (!(await isFiled(service, url, entry, signal)))
        await upload(service, `${url}/upload`, entry, signal);
      return {};
    },
    places: () => [withoutCredentials(url)],
    close: () => service.close(),
  };
}

function withoutCredentials(text: string): string {
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname}`;
}

const query = `query ($digest: String!) {
  dsses(where: { hasPayloadDigestsWith: { algorithm: "sha256", value: $digest } }) {
    edges { node { signatures { signature } } }
  }
}`;

/**
 * Whether Archivista has this payload with a signature of this key, from a try that was cut off. It is asked by GraphQL,
 * which can be turned off or closed to us; then what was signed again, with another ECDSA signature, becomes a second envelope.
 */
async function isFiled(
  service: Service,
  url: string,
  entry: SignedArtifact,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const digest = createHash('sha256').update(entry.payload.bytes).digest('hex');
  const { body } = await service.call({
    what: `look for ${entry.artifact.fullKey} at ${url}`,
    method: 'POST',
    url: `${url}/query`,
    body: JSON.stringify({ query, variables: { digest } }),
    signal,
    expects: [400, 401, 403, 404, 405, 422],
  });
  const edges = listAt(body, 'data', 'dsses', 'edges');
  const signatures = edges.flatMap((edge) => listAt(edge, 'node', 'signatures'));
  return includesSignatureOf(
    entry,
    signatures.map((one) => Buffer.from(String(member(one, 'signature')), 'base64')),
  );
}

/** Archivista files an envelope under the hash of its bytes, so that sending the same one again adds nothing. */
async function upload(
  service: Service,
  url: string,
  { artifact, signature }: SignedArtifact,
  signal: AbortSignal | undefined,
): Promise<void> {
  const what = `upload ${artifact.fullKey} to ${url}`;
  try {
    const headers = { 'content-type': 'application/json' };
    const call = { what, method: 'POST', url, headers, body: signature.bytes, signal } as const;
    const { body } = await service.call(call);
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

/** Archivista answers in plain text what went wrong. */
export function reasonIn({ bytes }: ServiceAnswer): string {
  return Buffer.from(bytes).toString('utf8');
}
