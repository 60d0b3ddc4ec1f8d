import type { Config } from '../config/keys.ts';
import { extract } from '../extract/index.ts';
import { quote } from '../text.ts';
import { ChainsError } from '../errors.ts';
import { at, type Json, listAt, textIn } from '../json.ts';
import { parseRun } from '../model/run.ts';
import type { RepositoryClient } from '../registry/client.ts';
import { type EntryForm, readEntries } from '../store/oci/entries.ts';
import type { Registries } from '../registry/registries.ts';
import { openRegistries } from '../store/oci/registries.ts';
import { parseRepository, repositoryName } from '../registry/repository.ts';
import {
  checkStored,
  type ContentChecks,
  type Verification,
  type VerificationOptions,
  verificationOfAny,
} from './checks.ts';
import { readJson } from './content.ts';
import { type Finding, no, yes } from './finding.ts';
import { isStatement } from './statement.ts';

/** An image that was verified, by its digest. */
export interface VerifiedImage {
  /** `repository@sha256:…` */
  readonly image: string;
  readonly verification: Verification;
}

/**
 * Verifies what registries hold about an image: signatures and attestations at cosign's tags, and referrers. One good
 * entry is enough, since others may sign the same image with other keys.
 * @param reference `NAME[:TAG]` or `NAME[:TAG]@sha256:…`
 * @throws ChainsError USAGE for an invalid reference or a missing image; STORE_… when the registry fails
 */
export async function verifyImage(
  reference: string,
  config: Config,
  options: VerificationOptions,
): Promise<VerifiedImage> {
  const { name, tag, digest: given } = parseReference(reference);
  const registries = openRegistries(config);
  try {
    const open = (place: string) => openRepository(registries, place);
    const digest = given ?? (await resolve(await open(name), tag, reference));
    const elsewhere = config['storage.oci.repository'];
    const entries = await readEntries(await open(elsewhere ?? name), digest);
    const parts = await Promise.all(
      entries.map((entry) => checkStored(entry, options, aboutImage(entry.form, { name, digest }))),
    );
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
    throw new ChainsError('USAGE', `${quote(text)} is not an image: write NAME:TAG or NAME@sha256:DIGEST`);
  }
  return { name: repositoryName(repository), tag, digest };
}

async function openRepository(registries: Registries, name: string): Promise<RepositoryClient> {
  const repository = parseRepository(name);
  if (repository === undefined) throw new ChainsError('USAGE', `${quote(name)} is not a repository`);
  return registries.open(repository, undefined);
}

async function resolve(client: RepositoryClient, tag: string, reference: string): Promise<string> {
  const manifest = await client.readManifest(tag);
  if (manifest !== undefined) return manifest.descriptor.digest;
  throw new ChainsError('USAGE', `there is no image ${quote(reference)} in its registry`);
}

/** What an entry of each form must say to be about an image. */
const judges: { readonly [Form in EntryForm]: (json: Json, image: Image) => Finding } = {
  signature: isCosignSignature,
  attestation: hasSubject,
  bundle: hasSubject,
  status: wasBuiltBy,
};

interface Image {
  /** The name as type hints give it, without tag. */
  readonly name: string;
  readonly digest: string;
}

function aboutImage(form: EntryForm, image: Image): ContentChecks {
  return async (payload) => {
    const json = readJson(payload);
    return [['image', json === undefined ? no('the payload is not JSON') : judges[form](json, image)]];
  };
}

/** Compares the digest only, as cosign does, so that an image keeps its signatures when it is copied to another repository. */
function isCosignSignature(json: Json, { digest }: Image): Finding {
  if (at(json, 'critical', 'type') !== 'cosign container image signature')
    return no("the payload is not cosign's signature of an image: its critical.type is another one");
  const signed = at(json, 'critical', 'image', 'docker-manifest-digest');
  return signed === digest
    ? yes('the signature names this image')
    : no(`the signature names another image, ${quote(textIn(signed))}`);
}

function hasSubject(json: Json, { digest }: Image): Finding {
  if (!isStatement(json)) return no('the payload is not an in-toto statement');
  const isNamed = listAt(json, 'subject').some(
    (subject) => `sha256:${textIn(at(subject, 'digest', 'sha256'))}` === digest,
  );
  return isNamed ? yes('the statement names this image') : no('the statement does not name this image');
}

/** Of the images in a status only those that the run built are signed by it, and only if it succeeded. */
function wasBuiltBy(status: Json, { name, digest }: Image): Finding {
  const run = parseRun({ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata: {}, status });
  if (run.progress.state !== 'done' || !run.progress.succeeded)
    return no('the payload is the status of a run that did not succeed');
  const isBuilt = extract(run).artifacts.some(
    (artifact) => artifact.kind === 'oci' && artifact.fullKey === `${name}@${digest}`,
  );
  return isBuilt
    ? yes('the run whose status it is built this image')
    : no('the payload is not the status of a run that built this image');
}
