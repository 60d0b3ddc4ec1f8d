import { ChainsError } from '../../errors.ts';
import { at, type JsonObject, listAt, textIn } from '../../json.ts';
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
    const subjects = listAt(statementOf(entry), 'subject');
    return distinct(
      subjects.map((subject) =>
        target(textIn(at(subject, 'name')), `sha256:${textIn(at(subject, 'digest', 'sha256'))}`),
      ),
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
  const withoutTag = name.replace(/:[\w][\w.-]{0,127}$/, '');
  const repository = parseRepository(withoutTag);
  return repository !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest)
    ? { repository, digest }
    : undefined;
}

function distinct(images: readonly (TargetImage | undefined)[]): readonly TargetImage[] {
  const found = images.filter((image) => image !== undefined);
  const byName = found.map(
    (image) => [`${repositoryName(image.repository)}@${image.digest}`, image] as const,
  );
  return [...new Map(byName).values()];
}
