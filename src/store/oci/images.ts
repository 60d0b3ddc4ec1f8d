import { ChainsError } from '../../errors.ts';
import { type JsonObject, listAt, member } from '../../json.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import { parseContent } from '../../registry/content.ts';
import { parseRepository, type Repository, repositoryName } from '../../registry/repository.ts';

/** An image that an entry is attached to. */
export interface TargetImage {
  readonly repository: Repository;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
}

/**
 * The images that an entry is attached to: the image itself; for a run the images among its statement's subjects, or
 * those that the run names where its payload is not a statement. None when it made no image.
 * @throws ChainsError RUN_UNREADABLE
 */
export function imagesOf(entry: SignedArtifact): readonly TargetImage[] {
  const { artifact, payload } = entry;
  if (artifact.kind === 'oci') {
    const image = target(artifact.image.repository, artifact.image.digest);
    if (image !== undefined) return [image];
    throw new ChainsError(
      'RUN_UNREADABLE',
      `${artifact.source}: no registry has a repository of the name ${artifact.image.repository}; correct the result`,
    );
  }
  if (payload.dsseType !== undefined) {
    return distinct(
      subjectsIn(statementOf(entry)).map(({ name, sha256 }) => target(name, `sha256:${sha256}`)),
    );
  }
  if (artifact.evidence instanceof ChainsError) throw artifact.evidence;
  return distinct(artifact.evidence.hints.images.map(({ image }) => target(image.repository, image.digest)));
}

/** The in-toto statement in an entry's payload. */
export function statementOf({ payload, artifact }: SignedArtifact): JsonObject {
  return parseContent(payload.bytes, `the payload of ${artifact.fullKey}`);
}

/** Undefined for a subject that is not named like a repository, such as a package or a file. */
function target(name: string, digest: string): TargetImage | undefined {
  const repository = parseRepository(withoutTag(name));
  return repository !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest)
    ? { repository, digest }
    : undefined;
}

function withoutTag(name: string): string {
  return name.replace(/:[\w][\w.-]{0,127}$/, '');
}

function subjectsIn(statement: JsonObject): readonly { readonly name: string; readonly sha256: string }[] {
  return listAt(statement, 'subject').flatMap((subject) => {
    const [name, sha256] = [member(subject, 'name'), member(member(subject, 'digest'), 'sha256')];
    return typeof name === 'string' && typeof sha256 === 'string' ? [{ name, sha256 }] : [];
  });
}

function distinct(images: readonly (TargetImage | undefined)[]): readonly TargetImage[] {
  const found = images.filter((image) => image !== undefined);
  const byName = found.map(
    (image) => [`${repositoryName(image.repository)}@${image.digest}`, image] as const,
  );
  return [...new Map(byName).values()];
}
