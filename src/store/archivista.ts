import { createHash } from 'node:crypto';
import type { Config } from '../config/keys.ts';
import { inTotoType } from '../keys/dsse.ts';
import { ChainsError } from '../errors.ts';
import { includesSignatureOf } from '../keys/signed-by.ts';
import { at, isJsonList, type JsonObject, listAt, member, textIn } from '../json.ts';
import type { SignedArtifact } from '../model/signature.ts';
import type { StoredEntry } from '../model/stored.ts';
import { openService, type Service, type ServiceAnswer, type ServiceCall } from '../http/service.ts';
import { failures, defaultTimeout, required, unsupported, unreadable } from './failures.ts';
import type { OpenReader, OpenStore } from './store.ts';
import { withoutTrailing } from '../text.ts';

/** Opens the store `archivista`: envelopes are POSTed to `/upload`, and the answer must name what was sent. */
export const openArchivistaStore: OpenStore = async (config, { timeout } = {}) => {
  const archivista = new Archivista(config, timeout);
  return {
    async store(entry, signal) {
      const { artifact, payload } = entry;
      if (payload.dsseType !== inTotoType) {
        throw unsupported('archivista', artifact, payload, artifact.kind === 'oci' ? undefined : 'in-toto');
      }
      if (!(await archivista.has(entry, signal))) await archivista.upload(entry, signal);
      return {};
    },
    places() {
      // Without credentials, which the URL may hold.
      const { origin, pathname } = new URL(archivista.url);
      return [`${origin}${pathname}`];
    },
    close: () => archivista.close(),
  };
};

/**
 * Reads the store `archivista`: envelopes whose statements name something that the run made, since Archivista can't be
 * searched by anything else of a run.
 */
export const openArchivistaReader: OpenReader = async (config) => {
  const archivista = new Archivista(config);
  return {
    async read({ kind, images, others }, signal) {
      const names = [...images, ...others];
      if (kind === 'oci' || names.length === 0) return [];
      const place = `${archivista.url}, among the envelopes of ${names.join(', ')}`;
      const digests = names.map((name) => name.slice(name.lastIndexOf(':') + 1));
      const found = await archivista.search([...new Set(digests)], signal);
      const entries = await Promise.all([...new Set(found)].map((id) => archivista.download(id, signal)));
      return [{ place, entries: entries.flat() }];
    },
    close: () => archivista.close(),
  };
};

const signaturesOfPayload = `query ($digest: String!) {
  dsses(where: { hasPayloadDigestsWith: { algorithm: "sha256", value: $digest } }) {
    edges { node { signatures { signature } } }
  }
}`;

const envelopesOfSubjects = `query ($digests: [String!]) {
  dsses(where: { hasStatementWith: { hasSubjectsWith: { hasSubjectDigestsWith: { valueIn: $digests } } } }) {
    edges { node { gitoidSha256 } }
  }
}`;

/** Archivista's API: GraphQL at `/query`, envelopes at `/upload` and `/download`. */
class Archivista {
  readonly url: string;
  readonly #service: Service;

  constructor(config: Config, timeout = defaultTimeout) {
    this.url = withoutTrailing(required(config, 'archivista', 'storage.archivista.url'), '/');
    this.#service = openService({ failures, reasonIn, timeout });
  }

  close(): Promise<void> {
    return this.#service.close();
  }

  /**
   * Whether Archivista has this payload with a signature of this key, from a try that was cut off. GraphQL can be turned
   * off or closed to us; then a payload that is signed again with ECDSA becomes a second envelope.
   */
  async has(entry: SignedArtifact, signal?: AbortSignal): Promise<boolean> {
    const digest = createHash('sha256').update(entry.payload.bytes).digest('hex');
    const what = `look for ${entry.artifact.fullKey} at ${this.url}`;
    const expects = [400, 401, 403, 404, 405, 422];
    const { body } = await this.#query(signaturesOfPayload, { digest }, { what, signal, expects });
    const edges = listAt(body, 'data', 'dsses', 'edges');
    const signatures = edges.flatMap((edge) => listAt(edge, 'node', 'signatures'));
    return includesSignatureOf(
      entry,
      signatures.map((one) => Buffer.from(String(member(one, 'signature')), 'base64')),
    );
  }

  /** Archivista files an envelope under the hash of its bytes, so that sending the same one again adds nothing. */
  async upload({ artifact, signature }: SignedArtifact, signal?: AbortSignal): Promise<void> {
    const url = `${this.url}/upload`;
    const what = `upload ${artifact.fullKey} to ${url}`;
    const headers = { 'content-type': 'application/json' };
    try {
      const body = signature.bytes;
      const answer = await this.#service.call({ what, method: 'POST', url, headers, body, signal });
      const answered = member(answer.body, 'gitoid');
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

  /** The gitoids of the envelopes whose subjects have one of these digests. */
  async search(digests: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    const what = `search ${this.url} for envelopes`;
    const { body } = await this.#query(envelopesOfSubjects, { digests }, { what, signal });
    const edges = at(body, 'data', 'dsses', 'edges');
    // GraphQL returns its errors with the status 200.
    if (!isJsonList(edges)) throw unreadable(what, 'no list of them');
    const ids = edges.map((edge) => textIn(at(edge, 'node', 'gitoidSha256')));
    if (ids.includes('')) throw unreadable(what, 'an envelope without its gitoid');
    return ids;
  }

  async download(id: string, signal?: AbortSignal): Promise<readonly StoredEntry[]> {
    const place = `${this.url}/download/${id}`;
    const { body } = await this.#service.call({ what: `read ${place}`, method: 'GET', url: place, signal });
    const payload = member(body, 'payload');
    if (typeof payload !== 'string') return [];
    const signature = Buffer.from(JSON.stringify(body), 'utf8');
    return [{ place, payload: Buffer.from(payload, 'base64'), signature }];
  }

  #query(
    query: string,
    variables: JsonObject,
    options: Pick<ServiceCall, 'what' | 'signal' | 'expects'>,
  ): Promise<ServiceAnswer> {
    const body = JSON.stringify({ query, variables });
    return this.#service.call({ ...options, method: 'POST', url: `${this.url}/query`, body });
  }
}

/** The hash that git gives a blob, with SHA-256: 64 hex digits. */
function gitoid(bytes: Uint8Array): string {
  return createHash('sha256').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** Archivista has no status for it: the message of its database about the existing row is passed on with a 500. */
function isThereAlready(error: unknown): boolean {
  return error instanceof ChainsError && error.status === 500 && /gitoid_sha256/.test(error.message);
}

/** Archivista answers in plain text what went wrong. */
function reasonIn({ bytes }: ServiceAnswer): string {
  return Buffer.from(bytes).toString('utf8');
}
