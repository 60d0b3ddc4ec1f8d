import type { Artifact } from '../model/artifact.ts';
import { ChainsError } from '../errors.ts';
import type { Failure } from '../model/outcome.ts';

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
  readonly tooLarge: readonly Failure[];
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
  const kept = new Set<string>();
  const tooLarge: Failure[] = [];
  let used = bytesOf(present);
  for (const { artifact, annotations } of entries) {
    const freed = Object.keys(annotations).reduce((sum, key) => sum + bytesOfOne(key, all.get(key)), 0);
    const after = used - freed + bytesOf(annotations);
    if (after > annotationsLimit - roomForMarks) {
      tooLarge.push({
        artifact,
        stage: 'storage',
        error: tooLargeError(artifact, bytesOf(annotations), used - freed),
      });
      continue;
    }
    for (const [key, value] of Object.entries(annotations)) {
      all.set(key, value);
      kept.add(key);
    }
    used = after;
  }
  return { annotations: Object.fromEntries([...all].filter(([key]) => kept.has(key))), tooLarge };
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
    `${artifact.fullKey}: ${size} bytes of annotations do not fit beside the run's other ${others} bytes: Kubernetes allows ` +
      `${annotationsLimit} in all, of which ${roomForMarks} are kept free; choose another store for artifacts.${artifact.kind}.storage`,
  );
}
