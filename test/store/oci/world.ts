import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { parseConfig } from '../../../src/config/parse.ts';
import type { JsonObject } from '../../../src/json.ts';
import type { Outcome } from '../../../src/model/outcome.ts';
import { openPipeline, type Pipeline, type PipelineOptions } from '../../../src/pipeline.ts';
import { taskRunWith } from '../../runs.ts';
import { pkcs8, secretsWith } from '../../sign/keys.ts';

/** A registry that tests run against, by plain HTTP on this machine. */
export interface TestRegistry {
  /** `localhost:5000` */
  readonly host: string;
  close(): Promise<void>;
}

/** A descriptor as a registry gives it. */
export interface DescriptorView {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest or index as a registry gives it. */
export interface ManifestView {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config?: DescriptorView;
  readonly layers?: readonly DescriptorView[];
  readonly manifests?: readonly DescriptorView[];
  readonly subject?: DescriptorView;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Media types that registries are asked for. */
const manifests = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
].join();

/** A new signing key, and the PEM of its public half. */
export function newKey(): { privateKey: KeyObject; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString() };
}

/** A pipeline that signs with this key and stores everything in registries, unless `data` says otherwise. */
export function openSigning(
  privateKey: KeyObject,
  data: Readonly<Record<string, string>> = {},
  options: Partial<PipelineOptions> = {},
): Pipeline {
  const all = { 'artifacts.taskrun.format': 'in-toto', 'artifacts.taskrun.storage': 'oci', ...data };
  const { config } = parseConfig(all);
  return openPipeline({ config, secrets: secretsWith({ 'x509.pem': pkcs8(privateKey) }), ...options });
}

/** Signs a TaskRun that says it built these images. */
export function signRunOf(pipeline: Pipeline, ...images: readonly string[]): Promise<Outcome> {
  return pipeline.process(taskRunWith([['IMAGES', images.join()]]));
}

/** The outcome's errors: their codes and messages. */
export function errorsOf({ failures }: Outcome): readonly string[] {
  return failures.map(({ error }) => `${error.code}: ${error.message}`);
}

/** Fails with the reasons unless everything was signed and stored. */
export function assertSigned(outcome: Outcome): void {
  assert.deepEqual(errorsOf(outcome), []);
}

/** A repository as a test sees it, without the code that is tested. */
export class RepositoryView {
  readonly name: string;
  readonly #url: string;

  constructor({ host }: TestRegistry, path: string) {
    this.name = `${host}/${path}`;
    this.#url = `http://${host}/v2/${path}`;
  }

  /** Pushes an image and gives its full name: `localhost:5000/acme/app@sha256:…`. */
  async pushImage(content: string): Promise<string> {
    const layer = await this.pushBlob(Buffer.from(content));
    const config = await this.pushBlob(
      Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}'),
    );
    return this.pushManifest({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
    });
  }

  /** Pushes a manifest by its digest, and gives its full name. */
  async pushManifest(manifest: JsonObject): Promise<string> {
    const body = JSON.stringify(manifest);
    const digest = sha256(body);
    const headers = { 'content-type': String(manifest['mediaType']) };
    const answer = await fetch(`${this.#url}/manifests/${digest}`, { method: 'PUT', headers, body });
    assert.equal(answer.status, 201, await answer.text());
    return `${this.name}@${digest}`;
  }

  /** Pushes a blob. */
  async pushBlob(bytes: Uint8Array<ArrayBuffer>): Promise<{ size: number; digest: string }> {
    const digest = sha256(bytes);
    const begun = await fetch(`${this.#url}/blobs/uploads/`, { method: 'POST' });
    const url = new URL(begun.headers.get('location') ?? '', this.#url);
    url.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await fetch(url, { method: 'PUT', headers, body: bytes });
    assert.equal(answer.status, 201, await answer.text());
    return { size: bytes.length, digest };
  }

  /** The manifest of a tag or digest; undefined when there is none. */
  async manifest(reference: string): Promise<ManifestView | undefined> {
    const answer = await fetch(`${this.#url}/manifests/${reference}`, { headers: { accept: manifests } });
    return answer.status === 200 ? JSON.parse(await answer.text()) : undefined;
  }

  /** The content of a blob. */
  async blob(digest: string): Promise<Buffer> {
    const answer = await fetch(`${this.#url}/blobs/${digest}`);
    assert.equal(answer.status, 200, digest);
    return Buffer.from(await answer.arrayBuffer());
  }

  /** The layers under the tag of an image's signatures (`sig`) or attestations (`att`). */
  async layers(image: string, suffix: 'sig' | 'att'): Promise<readonly DescriptorView[]> {
    const manifest = await this.manifest(`${digestIn(image).replace(':', '-')}.${suffix}`);
    return manifest?.layers ?? [];
  }

  /** The manifests that refer to an image, by the referrers API or else the referrers tag. */
  async referrers(image: string): Promise<readonly ManifestView[]> {
    const digest = digestIn(image);
    const answer = await fetch(`${this.#url}/referrers/${digest}`);
    const index: ManifestView | undefined =
      answer.status === 200 ? JSON.parse(await answer.text()) : await this.manifest(digest.replace(':', '-'));
    const found = await Promise.all((index?.manifests ?? []).map((one) => this.manifest(one.digest)));
    return found.filter((one) => one !== undefined);
  }
}

/** `sha256:…` of a full name. */
export function digestIn(image: string): string {
  return image.slice(image.indexOf('@') + 1);
}

function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
