import type { Artifact } from '../model/artifact.ts';
import { ChainsError } from '../errors.ts';
import { markPrefix } from '../model/marks.ts';
import type { Failure } from '../model/outcome.ts';
import type { Problem } from '../model/problem.ts';

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
  /** PAYLOAD_TOO_LARGE for each artifact that doesn't fit together with those before it. */
  readonly tooLarge: readonly Failure[];
  /** Evidence that had to be left out for lack of room, although its signature fits. */
  readonly leftOut: readonly Problem[];
}

const evidencePrefix = `${markPrefix}evidence-`;

/**
 * Chooses, in the given order, the entries that fit on an object with the `present` annotations: one that doesn't fit
 * is left out alone.
 */
export function fitAnnotations(
  present: Annotations,
  entries: readonly AnnotationsOfArtifact[],
): FittedAnnotations {
  const kept: Record<string, string> = {};
  const tooLarge: Failure[] = [];
  const leftOut: Problem[] = [];
  let used = bytesOf(present);
  for (const { artifact, annotations } of entries) {
    const { fullKey, kind } = artifact;
    const freed = Object.keys(annotations).reduce(
      (sum, key) => sum + bytesOfOne(key, kept[key] ?? present[key]),
      0,
    );
    const others = used - freed;
    const fits = (some: Annotations) => others + bytesOf(some) <= annotationsLimit - roomForMarks;
    const chosen = [annotations, withoutEvidence(annotations)].find(fits);
    if (chosen === undefined) {
      const message =
        `${fullKey}: ${bytesOf(annotations)} bytes of annotations do not fit together with the run's other ${others} bytes: Kubernetes allows ` +
        `${annotationsLimit} in all, of which ${roomForMarks} are kept free; choose another store for artifacts.${kind}.storage`;
      tooLarge.push({ artifact, stage: 'storage', error: new ChainsError('PAYLOAD_TOO_LARGE', message) });
      continue;
    }
    if (chosen !== annotations) {
      const message = `${fullKey}: there is no room for the evidence of its signature; add another store to artifacts.${kind}.storage`;
      leftOut.push({ at: 'metadata.annotations', message });
    }
    Object.assign(kept, chosen);
    used = others + bytesOf(chosen);
  }
  return { annotations: kept, tooLarge, leftOut };
}

function withoutEvidence(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(evidencePrefix)));
}

function bytesOf(annotations: Annotations): number {
  return Object.entries(annotations).reduce((sum, [key, value]) => sum + bytesOfOne(key, value), 0);
}

function bytesOfOne(key: string, value: string | undefined): number {
  return value === undefined ? 0 : Buffer.byteLength(key) + Buffer.byteLength(value);
}
