import type { JsonObject } from '../json.ts';
import { type ImageArtifact, storageKeyOf } from '../model/artifact.ts';
import { endStateOf, messageMark, signedUidMark, transparencyMark } from '../model/marks.ts';
import type { Run } from '../model/run.ts';
import { quote } from '../text.ts';
import {
  type Checked,
  checkStored,
  type ContentChecks,
  failed,
  type Verification,
  verificationOf,
  type VerificationOptions,
} from './checks.ts';
import { imagesOf, isPayloadOf, isStatusOf, namesImageOf, readJson } from './content.ts';
import { type AnnotationEntry, imageEntries, ownEntry } from './entries.ts';
import { type Finding, no, yes } from './finding.ts';
import type { ExistingRun } from './remake.ts';
import { describesRun, isStatement } from './statement.ts';

/** What is verified of a run's annotations, and how. */
interface AnnotationsOptions extends VerificationOptions {
  /** The TaskRuns of a PipelineRun that still exist. */
  readonly taskRuns?: readonly JsonObject[];
  /** Whether the store `tekton` must have the run's images, too. */
  readonly imagesNeeded?: boolean;
}

/**
 * Verifies what the store `tekton` wrote on a run: payloads of every format, bare or in a DSSE envelope, under any of the
 * keys (behaviour.md, 'The command'). A run without an entry of its own is not verified.
 */
export async function verifyRun(run: Run, options: AnnotationsOptions): Promise<Verification> {
  const { own, images } = await checkAnnotations(run, options);
  return verificationOf([...own, ...images], options.expected);
}

/** What was checked of a run itself, and of the images that it built. */
export interface CheckedRun {
  readonly own: readonly Checked[];
  readonly images: readonly Checked[];
}

/** Checks each entry in a run's annotations. */
export async function checkAnnotations(
  run: Run,
  { taskRuns = [], imagesNeeded = false, ...options }: AnnotationsOptions,
): Promise<CheckedRun> {
  const own = ownEntry(run);
  const entries = imageEntries(run);
  const checked = await Promise.all(
    entries.map((entry) =>
      checkEntry(entry, options, async (payload) => [['image', namesImageOf(run, entry.key, payload)]]),
    ),
  );
  const missing = imagesOf(run).filter((image) => !entries.some((entry) => isEntryOf(run, image, entry)));
  return {
    own: [
      own === undefined
        ? failed(unsignedCheck, whyUnsigned(run))
        : await checkEntry(own, options, ownContent({ run, taskRuns }, own.key), logAddressOf(run)),
    ],
    images: [...checked, ...missing.map((image) => missingImage(image, imagesNeeded))],
  };
}

/** Images whose digests begin alike may share a key; then the payload says which of them the entry is of. */
function isEntryOf(run: Run, image: ImageArtifact, { key, payload }: AnnotationEntry): boolean {
  if (key !== image.key && key !== storageKeyOf(image)) return false;
  // An entry that can't be read fails by itself.
  return payload === undefined || isPayloadOf(run, image, payload);
}

function missingImage({ key, fullKey }: ImageArtifact, isNeeded: boolean): Checked {
  const what = `${quote(fullKey)}, which the run says it built, has no payload and signature in the annotations`;
  return isNeeded ? failed(`${key} stored`, what) : { checks: [], notes: [`${what}: not verified here`] };
}

/** What the content of a run's own payload under this key must be. */
export function ownContent({ run, taskRuns }: ExistingRun, key: string): ContentChecks {
  return async (payload) => {
    const json = readJson(payload);
    return [
      ...(key === 'taskrun' ? [['uid', hasOwnUid(run)] as const] : []),
      ...(json !== undefined && isStatement(json)
        ? await describesRun({ run, taskRuns }, json)
        : [['status', isStatusOf(run, payload)] as const]),
    ];
  };
}

/** The name of the check that a run without an entry of its own fails. */
export const unsignedCheck = 'signed';

function whyUnsigned(run: Run): string {
  const message = run.annotations[messageMark];
  const reasons = {
    true: 'it is marked as signed, but has no payload and signature of its own in its annotations; another store may have them',
    failed: `signing it failed${message === undefined ? '' : `: ${quote(message)}`}`,
    undefined: `it has no payload and signature of its own in its annotations`,
  };
  return `the run is unsigned: ${reasons[`${endStateOf(run)}`]}`;
}

/** The key `taskrun` has no uid, and a rerun copies annotations. */
function hasOwnUid(run: Run): Finding {
  const uid = run.annotations[signedUidMark];
  if (uid === run.uid) return yes(`${signedUidMark} is the run's uid`);
  const is = uid === undefined ? 'is missing' : `is ${quote(uid)}`;
  return no(
    `${signedUidMark} ${is}, but the run's uid is ${quote(run.uid)}: the annotations are another run's`,
  );
}

/** Where a run says that a log has its own signature. */
export function logAddressOf({ annotations }: Pick<Run, 'annotations'>): string | undefined {
  return annotations[transparencyMark];
}

async function checkEntry(
  { key, stored }: AnnotationEntry,
  options: VerificationOptions,
  contentChecks: ContentChecks,
  logAddress?: string,
): Promise<Checked> {
  if (typeof stored === 'string') return failed(`${key} stored`, stored);
  return checkStored({ ...stored, name: key, logAddress }, options, contentChecks);
}
