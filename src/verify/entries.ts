import { ownKeyOf } from '../model/artifact.ts';
import { markPrefix } from '../model/marks.ts';
import type { Run } from '../model/run.ts';
import type { Transparency } from '../model/signature.ts';
import type { StoredEntry } from '../model/stored.ts';
import { evidenceInMaterial } from '../sigstore/bundle.ts';
import { strictBase64 } from '../text.ts';

/** What the store `tekton` wrote for one artifact. */
export interface AnnotationEntry {
  /** KEY of behaviour.md, "A run's life". */
  readonly key: string;
  /** Undefined if it is missing or can't be read. */
  readonly payload: Uint8Array | undefined;
  /** The whole entry; a string says what is wrong with it. */
  readonly stored: Omit<StoredEntry, 'place'> | string;
}

/** The run's own entry: by its uid, or the one without uid that the format `tekton` writes for a TaskRun; undefined if there is none. */
export function ownEntry(run: Run): AnnotationEntry | undefined {
  const keys = [ownKeyOf(run), ...(run.kind === 'TaskRun' ? ['taskrun'] : [])];
  const key = keys.find((one) =>
    ['payload', 'signature'].some((part) => annotation(run, part, one) !== undefined),
  );
  return key === undefined ? undefined : entryOf(run, key);
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
  const payload = decoded(annotation(run, 'payload', key));
  const signature = decoded(annotation(run, 'signature', key));
  // The original Chains writes an empty certificate if there is none.
  const certificate = decoded(annotation(run, 'cert', key) ?? '');
  if (typeof payload === 'string' || typeof signature === 'string' || typeof certificate === 'string') {
    const wrong = Object.entries({ payload, signature, certificate }).flatMap(([part, is]) =>
      typeof is === 'string' ? [`the ${part} ${is}`] : [],
    );
    return { key, payload: typeof payload === 'string' ? undefined : payload, stored: wrong.join(' and ') };
  }
  const evidence = annotation(run, 'evidence', key);
  const transparency = evidence === undefined ? undefined : evidenceIn(evidence);
  const pem = Buffer.from(certificate).toString('utf8');
  return { key, payload, stored: { payload, signature, certificate: pem, transparency } };
}

function annotation(run: Run, part: string, key: string): string | undefined {
  const name = `${markPrefix}${part}-${key}`;
  return Object.hasOwn(run.annotations, name) ? run.annotations[name] : undefined;
}

/** The bytes, or what is wrong with the text. */
function decoded(text: string | undefined): Uint8Array | string {
  if (text === undefined) return 'is missing';
  return strictBase64(text) ?? 'is not padded standard base64';
}

function evidenceIn(text: string): Transparency | string | undefined {
  const json = decoded(text);
  return typeof json === 'string' ? json : evidenceInMaterial(json);
}
