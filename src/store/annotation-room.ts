import type { Artifact } from '../model/artifact.ts';
import type { Problem } from '../model/problem.ts';
import { ChainsError } from '../model/errors.ts';

type Annotations = Readonly<Record<string, string>>;

/** What Kubernetes allows for all annotations of an object: the UTF-8 bytes of keys and values together. */
export const annotationsLimit = 256 * 1024;

/** Kept free for our marks: end state, uid, message, retries. */
const roomForMarks = 4 * 1024;

/** The annotations of one artifact, as a store gave them. */
export interface AnnotationsOfArtifact {
  readonly artifact: Artifact;
  readonly annotations: Annotations;
}

/** What can be written on the run, and what had to be left out. */
export interface FittedAnnotations {
  readonly annotations: Annotations;
  /** PAYLOAD_TOO_LARGE for each artifact that doesn't fit beside those before it. */
  readonly tooLarge: readonly { readonly artifact: Artifact; readonly error: ChainsError }[];
  /** Artifacts whose annotations are replaced by a later one's of the same key. */
  readonly problems: readonly Problem[];
}

/**
 * Chooses, in the given order, the entries that fit on an object with the `present` annotations: one that doesn't fit
 * is left out alone. Only the object knows its other annotations, hence not a store's decision.
 */
export function fitAnnotations(
  present: Annotations,
  entries: readonly AnnotationsOfArtifact[],
): FittedAnnotations {
  const all = new Map(Object.entries(present));
  const owners = new Map<string, Artifact>();
  const tooLarge: { artifact: Artifact; error: ChainsError }[] = [];
  const problems: Problem[] = [];
  let used = bytesOf(present);
  for (const { artifact, annotations } of entries) {
    const freed = Object.keys(annotations).reduce((sum, key) => sum + bytesOfOne(key, all.get(key)), 0);
    const after = used - freed + bytesOf(annotations);
    if (after > annotationsLimit - roomForMarks) {
      tooLarge.push({ artifact, error: tooLargeError(artifact, bytesOf(annotations), used - freed) });
      continue;
    }
    const replaced = Object.keys(annotations)
      .map((key) => owners.get(key))
      .find((owner) => owner !== undefined);
    if (replaced !== undefined) problems.push(sameKey(replaced, artifact));
    for (const [key, value] of Object.entries(annotations)) {
      all.set(key, value);
      owners.set(key, artifact);
    }
    used = after;
  }
  const kept = [...owners.keys()].map((key) => [key, all.get(key) ?? ''] as const);
  return { annotations: Object.fromEntries(kept), tooLarge, problems };
}

function bytesOf(annotations: Annotations): number {
  return Object.entries(annotations).reduce((sum, [key, value]) => sum + bytesOfOne(key, value), 0);
}

function bytesOfOne(key: string, value: string | undefined): number {
  return value === undefined ? 0 : Buffer.byteLength(key) + Buffer.byteLength(value);
}

function tooLargeError(artifact: Artifact, size: number, others: number): ChainsError {
  return new ChainsError(
    'PAYLOAD_TOO_LARGE',
    `${artifact.fullKey}: ${size} bytes of annotations do not fit beside the run’s other ${others} bytes: Kubernetes allows ` +
      `${annotationsLimit} in all, of which ${roomForMarks} are kept free; choose another store for artifacts.${artifact.kind}.storage`,
  );
}

function sameKey(replaced: Artifact, by: Artifact): Problem {
  return {
    at: replaced.kind === 'oci' ? replaced.source : 'metadata.annotations',
    message:
      `the store \`tekton\` keeps one entry for each digest, so ${by.fullKey} takes the place of ${replaced.fullKey}; ` +
      'choose another store for artifacts.oci.storage to keep both',
  };
}
