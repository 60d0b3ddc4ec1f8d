import type { Config } from '../config/keys.ts';
import { quote } from '../extract/quote.ts';
import { ChainsError } from '../model/errors.ts';
import { at, type Json, listAt } from '../model/json.ts';
import type { RepositoryClient } from '../store/oci/client.ts';
import { readEntries } from '../store/oci/entries.ts';
import { Registries } from '../store/oci/registries.ts';
import { parseRepository, repositoryName } from '../store/oci/repository.ts';
import {
  checkStored,
  type ContentChecks,
  type Verification,
  type VerificationOptions,
  verificationOfAny,
} from './checks.ts';
import { readJson } from './content.ts';
import type { Judgement } from './judgement.ts';
import { isStatement } from './statement.ts';

/** An image that was verified, by its digest. */
export interface VerifiedImage {
  /** `repository@sha256:…` */
  readonly image: string;
  readonly verification: Verification;
}

/**
 * Verifies what registries hold about an image: signatures and attestations at cosign's tags, and referrers. One that
 * holds is enough, since others may sign the same image with other keys.
 * @param reference `NAME[:TAG]` or `NAME[:TAG]@sha256:…`
 * @throws ChainsError USAGE for what is no reference, and no image; STORE_… when the registry doesn't give it
 */
export async function verifyImage(
  reference: string,
  config: Config,
  options: VerificationOptions,
): Promise<VerifiedImage> {
  const { name, tag, digest: given } = parseReference(reference);
  const registries = new Registries(config, {});
  try {
    const open = (place: string) => openRepository(registries, place);
    const digest = given ?? (await resolve(await open(name), tag, reference));
    const elsewhere = config['storage.oci.repository'];
    const entries = await readEntries(await open(elsewhere ?? name), digest);
    const parts = await Promise.all(entries.map((entry) => checkStored(entry, options, aboutImage(digest))));
    return { image: `${name}@${digest}`, verification: verificationOfAny(parts, options.expected) };
  } finally {
    await registries.close();
  }
}

function parseReference(text: string): { name: string; tag: string; digest: string | undefined } {
  const [, base = '', digest] = /^([^@]+?)(?:@(sha256:[0-9a-f]{64}))?$/.exec(text) ?? [];
  const [, untagged = base, tag = 'latest'] = /^(.+):([\w][\w.-]{0,127})$/.exec(base) ?? [];
  const repository = parseRepository(untagged);
  if (repository === undefined) {
    throw new ChainsError('USAGE', `${quote(text)} is no image: write NAME:TAG or NAME@sha256:DIGEST`);
  }
  return { name: repositoryName(repository), tag, digest };
}

async function openRepository(registries: Registries, name: string): Promise<RepositoryClient> {
  const repository = parseRepository(name);
  if (repository === undefined) throw new ChainsError('USAGE', `${quote(name)} is no repository`);
  return registries.open(repository, undefined);
}

async function resolve(client: RepositoryClient, tag: string, reference: string): Promise<string> {
  const manifest = await client.readManifest(tag);
  if (manifest !== undefined) return manifest.descriptor.digest;
  throw new ChainsError('USAGE', `there is no image ${quote(reference)} in its registry`);
}

/** A payload must name the image by its digest: as cosign's signature, as a subject, or as what the run's results say. */
function aboutImage(digest: string): ContentChecks {
  return async (payload) => {
    const json = readJson(payload)?.json;
    return [['image', speaksOfImage(json, digest)]];
  };
}

function speaksOfImage(json: Json | undefined, digest: string): Judgement {
  const signed = at(json, 'critical', 'image', 'docker-manifest-digest');
  if (signed !== undefined) {
    return signed === digest
      ? { ok: true, reason: 'the signature names this image' }
      : { ok: false, reason: `the signature names another image, ${quote(String(signed))}` };
  }
  if (json !== undefined && isStatement(json)) {
    const named = listAt(json, 'subject').some(
      (subject) => `sha256:${String(at(subject, 'digest', 'sha256'))}` === digest,
    );
    return named
      ? { ok: true, reason: 'the statement names this image' }
      : { ok: false, reason: 'the statement does not name this image' };
  }
  // A run's status names what it built in the texts of its results.
  return JSON.stringify(json ?? null).includes(digest)
    ? { ok: true, reason: 'the run’s status names this image' }
    : { ok: false, reason: 'the payload does not name this image' };
}
