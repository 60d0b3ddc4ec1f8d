import { ownKeyOf } from '../model/artifact.ts';
import { markPrefix } from '../model/marks.ts';
import type { Run } from '../model/run.ts';

/** What the store `tekton` wrote for one artifact, still in base64. */
export interface AnnotationEntry {
  /** KEY of behaviour.md, "A run's life". */
  readonly key: string;
  readonly payload: string | undefined;
  readonly signature: string | undefined;
  readonly certificate: string | undefined;
  readonly evidence: string | undefined;
}

/** The run's own entry: by its uid, or the one without uid that the format `tekton` writes for a TaskRun; undefined if there is none. */
export function ownEntry(run: Run): AnnotationEntry | undefined {
  const keys = [ownKeyOf(run), ...(run.kind === 'TaskRun' ? ['taskrun'] : [])];
  return keys
    .map((key) => entryOf(run, key))
    .find((entry) => entry.payload !== undefined || entry.signature !== undefined);
}

/** The entries of images, whose keys begin with 12 hex digits. Entries with another run's uid are not this run's: they were copied. */
export function imageEntries(run: Run): readonly AnnotationEntry[] {
  const keys = Object.keys(run.annotations)
    .filter((name) => name.startsWith(markPrefix))
    .flatMap(
      (name) =>
        /^(?:payload|signature)-([0-9a-f]{12}(?:-[0-9a-f]{32})?)$/.exec(name.slice(markPrefix.length))?.[1] ??
        [],
    );
  return [...new Set(keys)].map((key) => entryOf(run, key));
}

function entryOf(run: Run, key: string): AnnotationEntry {
  const annotation = (part: string) => {
    const name = `${markPrefix}${part}-${key}`;
    return Object.hasOwn(run.annotations, name) ? run.annotations[name] : undefined;
  };
  return {
    key,
    payload: annotation('payload'),
    signature: annotation('signature'),
    certificate: annotation('cert'),
    evidence: annotation('evidence'),
  };
}
