import {
  describeContent,
  type Descriptor,
  descriptorsIn,
  digestOf,
  imageIndex,
  imageManifest,
  type Manifest,
  parseContent,
} from './content.ts';
import { type Exchange, placeOf, type RegistryAnswer, resolveTarget } from './exchange.ts';
import { refused, unavailable } from './failures.ts';
import { type Repository, repositoryName } from './repository.ts';
import type { Session } from './session.ts';
import { checkKept, upload } from './upload.ts';

const manifestTypes = [
  imageManifest,
  imageIndex,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

/** The longest manifest or index that is read, in bytes; registries accept no longer ones. */
const longestManifest = 4 * 1024 * 1024;
/** The longest blob that is read, in bytes; one holds a payload and its envelope, or a bundle. */
const longestBlob = 32 * 1024 * 1024;
/** How many referrers of one digest are listed, on how many pages. */
const [mostReferrers, mostPages] = [2_000, 32];

/**
 * One repository of a registry (OCI distribution specification 1.1). What is read is checked against its digest. Errors
 * are STORE_REFUSED, STORE_UNAVAILABLE and PAYLOAD_TOO_LARGE.
 */
export class RepositoryClient {
  readonly repository: Repository;
  readonly #session: Session;

  constructor(repository: Repository, session: Session) {
    this.repository = repository;
    this.#session = session;
  }

  /** The bytes of a blob. */
  async readBlob({ digest, size }: Descriptor): Promise<Uint8Array> {
    if (size > longestBlob)
      throw refused(
        `${this.#name(digest)}: the registry names a blob of ${size} bytes, more than ${longestBlob}`,
      );
    const answer = await this.#session.request([200], {
      ...this.#at('GET', `blobs/${digest}`),
      longest: size,
    });
    if (digestOf(answer.body) !== digest || answer.body.length !== size)
      throw unavailable(`${this.#name(digest)}: the registry gave other content than the digest names`);
    return answer.body;
  }

  /** Uploads a blob, unless it is there. @param from another repository of this registry that has it */
  async pushBlob(bytes: Uint8Array, mediaType: string, from?: string): Promise<Descriptor> {
    const descriptor = describeContent(bytes, mediaType);
    const { digest } = descriptor;
    const there = await this.#session.request([200, 404], this.#at('HEAD', `blobs/${digest}`));
    const length = there.header('content-length')[0];
    if (there.status === 200 && (length === undefined || Number(length) === bytes.length)) return descriptor;
    await upload({ bytes, digest, start: this.#at('POST', 'blobs/uploads/').url, from }, this.#session);
    return descriptor;
  }

  /** The manifest of a tag or digest; undefined when there is none. */
  async readManifest(reference: string): Promise<Manifest | undefined> {
    const request = { ...this.#at('GET', `manifests/${reference}`, manifestTypes), longest: longestManifest };
    const answer = await this.#session.request([200, 404], request);
    if (answer.status === 404) return undefined;
    const mediaType = answer.header('content-type')[0]?.split(';')[0]?.trim() ?? imageManifest;
    const descriptor = describeContent(answer.body, mediaType);
    const named = reference.includes(':') ? reference : answer.header('docker-content-digest')[0];
    if (named?.startsWith('sha256:') === true && named !== descriptor.digest)
      throw unavailable(`${this.#name(reference)}: the registry gave other content than the digest names`);
    return { descriptor, json: parseContent(answer.body, this.#name(reference)) };
  }

  /** The digest of a tag; empty when there is no such tag, undefined when the registry doesn't say. */
  async resolveTag(tag: string): Promise<{ readonly digest: string | undefined } | undefined> {
    const answer = await this.#session.request(
      [200, 404],
      this.#at('HEAD', `manifests/${tag}`, manifestTypes),
    );
    const [digest] = answer.header('docker-content-digest');
    if (answer.status === 404) return { digest: undefined };
    return digest === undefined ? undefined : { digest };
  }

  /**
   * Writes a manifest under a tag or its own digest.
   * @returns whether the registry lists the manifest among the referrers of its subject
   */
  async pushManifest(reference: string, bytes: Uint8Array, mediaType: string): Promise<boolean> {
    const headers = { 'content-type': mediaType };
    const request = { ...this.#at('PUT', `manifests/${reference}`), headers, body: bytes };
    const answer = await this.#session.request([200, 201, 202], request);
    checkKept(answer, digestOf(bytes), this.#name(reference));
    return answer.header('oci-subject').length > 0;
  }

  /** The referrers of a digest, from all pages; undefined when the registry has no referrers API. */
  async referrers(digest: string): Promise<readonly Descriptor[] | undefined> {
    const found: Descriptor[] = [];
    let next: URL | undefined = this.#at('GET', `referrers/${digest}`).url;
    let left = longestManifest;
    for (let pages = 0; next !== undefined; pages += 1) {
      if (pages === mostPages || found.length > mostReferrers)
        throw refused(
          `${this.#name(digest)}: the registry lists more than ${mostReferrers} referrers, or ${mostPages} pages of them`,
        );
      // The limit of one manifest is for all pages together.
      const request: Exchange = { method: 'GET', url: next, headers: { accept: imageIndex }, longest: left };
      const answer: RegistryAnswer = await this.#session.request([200, 400, 404, 405], request);
      left -= answer.body.length;
      const type = answer.header('content-type')[0] ?? '';
      // Some servers answer every path with a page of their own.
      if (answer.status !== 200 || !type.startsWith(imageIndex)) return undefined;
      found.push(...descriptorsIn(parseContent(answer.body, this.#name(digest)), 'manifests'));
      next = this.#nextPage(answer);
    }
    return found;
  }

  #at(method: Exchange['method'], path: string, accept?: string): Exchange {
    const url = new URL(`/v2/${this.repository.path}/${path}`, this.#session.origin);
    return { method, url, ...(accept === undefined ? {} : { headers: { accept } }) };
  }

  /** The next page that an answer links to, on the same server (RFC 8288). */
  #nextPage(answer: RegistryAnswer): URL | undefined {
    const link = answer
      .header('link')
      .find((text) => text.includes('rel="next"') || text.includes('rel=next'));
    const target = link?.slice(link.indexOf('<') + 1, link.indexOf('>'));
    if (target === undefined) return undefined;
    const url = resolveTarget(target, answer.url, 'next page');
    if (url.origin === answer.url.origin) return url;
    throw refused(`${placeOf(answer.url)}: the next page that it names is on ${url.origin}`);
  }

  #name(reference: string): string {
    return `${repositoryName(this.repository)}${reference.includes(':') ? '@' : ':'}${reference}`;
  }
}
