import { quote } from '../extract/quote.ts';
import { endStateOf, messageMark, signedUidMark } from '../model/marks.ts';
import type { Run } from '../model/run.ts';
import {
  type Check,
  type Checked,
  checkStored,
  type ContentChecks,
  type Verification,
  type VerificationOptions,
  verificationOf,
} from './checks.ts';
import { isStatusOf, type Judgement, namesImageOf, readJson } from './content.ts';
import { type Entry, imageEntries, ownEntry, strictBase64 } from './entries.ts';
import { isStatement, speaksOf } from './statement.ts';

/**
 * Verifies what the store `tekton` wrote on a run: payloads of every format, bare or in a DSSE envelope, under any of the
 * keys (behaviour.md, “The command”). A run without an entry of its own is not verified.
 */
export async function verifyRun(run: Run, options: VerificationOptions): Promise<Verification> {
  const own = ownEntry(run);
  const parts = [
    own === undefined
      ? { checks: [unsigned(run)], statement: undefined }
      : await checkEntry(own, options, ownContent(run, own.key)),
    // What is expected of provenance is asked of the run's own entry.
    ...(await Promise.all(
      imageEntries(run).map((entry) =>
        checkEntry(entry, { ...options, expected: {} }, (payload) => [
          ['image', namesImageOf(run, entry.key, payload)],
        ]),
      ),
    )),
  ];
  return verificationOf(parts, options.expected);
}

/** What the content of a run's own payload under this key must be. */
export function ownContent(run: Run, key: string): ContentChecks {
  return (payload) => {
    const read = readJson(payload);
    return [
      ...(key === 'taskrun' ? [['uid', wasWrittenFor(run)] as const] : []),
      ...(read !== undefined && isStatement(read.json)
        ? speaksOf(run, read.json)
        : [['status', isStatusOf(run, payload)] as const]),
    ];
  };
}

/** The check that a run without an entry of its own fails. */
export const unsignedCheck = 'signed';

function unsigned(run: Run): Check {
  const state = endStateOf(run);
  const message = run.annotations[messageMark];
  const reasons = {
    true: 'it is marked as signed, but has no payload and signature of its own in its annotations; another store may have them',
    failed: `signing it failed${message === undefined ? '' : `: ${quote(message)}`}`,
    undefined: `it has no payload and signature of its own in its annotations`,
  };
  return { name: unsignedCheck, ok: false, reason: `the run is unsigned: ${reasons[`${state}`]}` };
}

/** The key `taskrun` has no uid, and a rerun copies annotations. */
function wasWrittenFor(run: Run): Judgement {
  const uid = run.annotations[signedUidMark];
  if (uid === run.uid) return { ok: true, reason: `${signedUidMark} is the run’s uid` };
  const is = uid === undefined ? 'is missing' : `is ${quote(uid)}`;
  return {
    ok: false,
    reason: `${signedUidMark} ${is}, but the run’s uid is ${quote(run.uid)}: the annotations are another run’s`,
  };
}

async function checkEntry(
  { key, ...texts }: Entry,
  options: VerificationOptions,
  contentChecks: ContentChecks,
): Promise<Checked> {
  // Others write an empty one where there is none.
  const [payload, signature, certificate] = [
    decoded(texts.payload),
    decoded(texts.signature),
    decoded(texts.certificate ?? ''),
  ];
  if (typeof payload !== 'string' && typeof signature !== 'string' && typeof certificate !== 'string') {
    const stored = { name: key, payload, signature, certificate: Buffer.from(certificate).toString('utf8') };
    return checkStored(stored, options, contentChecks);
  }
  const wrong = Object.entries({ payload, signature, certificate }).flatMap(([part, is]) =>
    typeof is === 'string' ? [`the ${part} ${is}`] : [],
  );
  return {
    checks: [{ name: `${key} stored`, ok: false, reason: wrong.join(' and ') }],
    statement: undefined,
  };
}

/** The bytes, or what is wrong with the text. */
function decoded(text: string | undefined): Uint8Array | string {
  if (text === undefined) return 'is missing';
  return strictBase64(text) ?? 'is no padded standard base64';
}
