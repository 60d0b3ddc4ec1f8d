import { createHash } from 'node:crypto';
import type { Artifact } from '../model/artifact.ts';
import { fullNameOf, type NamedImage } from '../model/image.ts';
import type { Run } from '../model/run.ts';

/** A key with it is 45 characters long, and so an annotation's name, `signature-…`, stays below the 63 that it may have. */
const suffixLength = 32;

/**
 * The images that a run built as artifacts, in the order in which the run names them. The first of those whose digests
 * begin with the same 12 hex digits is stored under them; a further one, of another repository or another digest, under
 * a key that its full name makes its own.
 */
export function imageArtifacts(run: Run, images: readonly NamedImage[]): readonly Artifact[] {
  const taken = new Set<string>();
  return images.map(({ image, at, names }) => {
    const key = image.digest.slice('sha256:'.length).slice(0, 12);
    const fullKey = fullNameOf(image);
    const own = taken.has(key) ? { ownKey: `${key}-${suffixOf(fullKey)}` } : {};
    taken.add(key);
    return { kind: 'oci', run, key, fullKey, image, source: at, names, ...own };
  });
}

/** Long enough that nobody finds a second name with the same one. */
function suffixOf(fullName: string): string {
  return createHash('sha256').update(fullName).digest('hex').slice(0, suffixLength);
}
