import { quote } from '../extract/quote.ts';
import { ChainsError } from '../model/errors.ts';
import { endStateOf, messageMark, signedUidMark } from '../model/marks.ts';
import type { Run } from '../model/run.ts';
import { isStatusOf, type Judgement, namesImageOf, readJson } from './content.ts';
import { type Entry, imageEntries, ownEntry, strictBase64 } from './entries.ts';
import { signedMessage } from './envelope.ts';
import { readPublicKey, type VerificationKey } from './public-key.ts';
import { isStatement, speaksOf } from './statement.ts';

/** One thing that was looked at. */
export interface Check {
  /** `taskrun signature` */
  readonly name: string;
  readonly ok: boolean;
  readonly reason: string;
}

/** Whether a run's own entry is there and everything about it and its images holds. */
export interface Verification {
  readonly verified: boolean;
  /** In the order in which they were made; what follows a failed one and makes no sense then is left out. */
  readonly checks: readonly Check[];
}

/**
 * Verifies what the store `tekton` wrote on a run: payloads of every format, bare or in a DSSE envelope, under any of the
 * keys (behaviour.md, “The command”). A run without an entry of its own is not verified.
 * @param input.keys PEM public keys or certificates; a certificate counts for its key alone
 * @throws ChainsError KEY_INVALID when a key can't be read, or there is none
 */
export function verifyRun(input: { readonly run: Run; readonly keys: readonly string[] }): Verification {
  const { run } = input;
  if (input.keys.length === 0) throw new ChainsError('KEY_INVALID', 'there is no key to verify with');
  const keys = input.keys.map(readPublicKey);
  const own = ownEntry(run);
  const checks = [
    ...(own === undefined ? [unsigned(run)] : ownChecks(run, own, keys)),
    ...imageEntries(run).flatMap((entry) =>
      entryChecks(entry, keys, (payload) => [['image', namesImageOf(run, entry.key, payload)]]),
    ),
  ];
  return { verified: checks.every((check) => check.ok), checks };
}

function unsigned(run: Run): Check {
  const state = endStateOf(run);
  const message = run.annotations[messageMark];
  const reasons = {
    true: 'it is marked as signed, but has no payload and signature of its own in its annotations; another store may have them',
    failed: `signing it failed${message === undefined ? '' : `: ${quote(message)}`}`,
    undefined: `it has no payload and signature of its own in its annotations`,
  };
  return { name: 'signed', ok: false, reason: `the run is unsigned: ${reasons[`${state}`]}` };
}

function ownChecks(run: Run, entry: Entry, keys: readonly VerificationKey[]): readonly Check[] {
  return entryChecks(entry, keys, (payload) => [
    ...(entry.key === 'taskrun' ? [['uid', wasWrittenFor(run)] as const] : []),
    ...ownContent(run, payload),
  ]);
}

function ownContent(run: Run, payload: Uint8Array): readonly (readonly [string, Judgement])[] {
  const read = readJson(payload);
  return read !== undefined && isStatement(read.json)
    ? speaksOf(run, read.json)
    : [['status', isStatusOf(run, payload)]];
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

function entryChecks(
  { key, payload, signature }: Entry,
  keys: readonly VerificationKey[],
  contentChecks: (payload: Uint8Array) => readonly (readonly [string, Judgement])[],
): readonly Check[] {
  const stored = { payload: decoded(payload), signature: decoded(signature) };
  const name = `${key} stored`;
  if (typeof stored.payload === 'string' || typeof stored.signature === 'string') {
    const wrong = Object.entries(stored).flatMap(([part, is]) =>
      typeof is === 'string' ? [`the ${part} ${is}`] : [],
    );
    return [{ name, ok: false, reason: wrong.join(' and ') }];
  }
  const bytes = stored.payload;
  const reason = `a payload of ${bytes.length} bytes and a signature of ${stored.signature.length}`;
  return [
    { name, ok: true, reason },
    { name: `${key} signature`, ...verifiesUnder(keys, bytes, stored.signature) },
    ...contentChecks(bytes).map(([what, judgement]) => ({ name: `${key} ${what}`, ...judgement })),
  ];
}

/** The bytes, or what is wrong with the text. */
function decoded(text: string | undefined): Uint8Array | string {
  if (text === undefined) return 'is missing';
  return strictBase64(text) ?? 'is no padded standard base64';
}

function verifiesUnder(
  keys: readonly VerificationKey[],
  payload: Uint8Array,
  signature: Uint8Array,
): Judgement {
  const signed = signedMessage(payload, signature);
  if (typeof signed === 'string') return { ok: false, reason: signed };
  const key = keys.find((one) => one.verifies(signed.message, signed.signature));
  const ids = keys.map((one) => one.id).join(', ');
  return key === undefined
    ? { ok: false, reason: `the signature is not one of this payload by ${ids}` }
    : { ok: true, reason: `the payload is signed by ${key.id}` };
}
