import { quote } from '../text.ts';
import type { Json } from '../json.ts';
import { type Check, type Finding, no } from './judgement.ts';
import { readJson } from './content.ts';
import { type Expectations, expectsAnything } from './expectations.ts';
import { type EvidenceFindings, type EvidenceOptions, judgeEvidence } from './evidence.ts';
import { type Signed, signedMessage } from './envelope.ts';
import { inTotoType } from '../keys/dsse.ts';
import { pemBlock } from '../keys/pem.ts';
import { bareContent, envelopeContent } from '../sigstore/content.ts';
import type { Transparency } from '../model/signature.ts';
import type { VerificationKey } from './key.ts';
import { type Proof, demanded, meetsAll, provenanceIn } from './provenance.ts';
import { keyOfCertificate } from './public-key.ts';
import { isStatement } from './statement.ts';

/** Whether everything that had to hold does. */
export interface Verification {
  readonly verified: boolean;
  /** In the order in which they were made; what follows a failed one and makes no sense then is left out. */
  readonly checks: readonly Check[];
  /** What a reader should know although it holds: what was not compared, what changed without meaning. */
  readonly notes: readonly string[];
  /** The statements whose checks all hold, for anyone who wants to read them. */
  readonly statements: readonly Json[];
}

/** What verifying needs besides what is verified. */
export interface VerificationOptions {
  /** Any one of them will do. */
  readonly keys: readonly VerificationKey[];
  readonly expected: Expectations;
  /** What is demanded of logs, timestamps and certificates, which is judged where there is any. */
  readonly evidence?: EvidenceOptions | undefined;
}

/** A payload with its signature, as a store gave them. */
export interface Stored {
  /** What it is called in checks: `taskrun-<uid>`, `image signature`. */
  readonly name: string;
  readonly payload: Uint8Array;
  /** A DSSE envelope, or the signature itself. */
  readonly signature: Uint8Array;
  /** PEM, where one is stored with it; empty is none. */
  readonly certificate?: string | undefined;
  /** What was confirmed of the signature; a text says why it can't be read. */
  readonly transparency?: Transparency | string | undefined;
  /** Where the run says that a log has it. */
  readonly logAddress?: string | undefined;
  /** Where it was, for the reason of a check. */
  readonly place?: string;
}

/** What must hold of a payload's content; a name and a judgement each. */
export type ContentChecks = (payload: Uint8Array) => Promise<readonly (readonly [string, Finding])[]>;

/** What was found of one payload: its checks, and the statement in it where all of them hold. */
export interface Checked {
  readonly checks: readonly Check[];
  readonly notes?: readonly string[];
  readonly statement?: Json | undefined;
  /** What it proves besides the signature; only a payload whose checks all hold proves anything. */
  readonly provenance?: Proof | undefined;
}

/** Checks the signature, then the content. */
export async function checkStored(
  { name, payload, signature, certificate = '', transparency, logAddress, place }: Stored,
  { keys, evidence }: Pick<VerificationOptions, 'keys' | 'evidence'>,
  contentChecks: ContentChecks,
): Promise<Checked> {
  const certified = keyOfCertificate(certificate);
  const isKeyless = evidence?.identity !== undefined;
  const candidates = isKeyless ? [certified].filter((key) => key !== undefined) : keys;
  const where = place === undefined ? '' : ` at ${place}`;
  const reason = `a payload of ${payload.length} bytes and a signature of ${signature.length}${where}`;
  const proofs =
    evidence === undefined
      ? undefined
      : await evidenceOf({ payload, signature, certificate, transparency, logAddress }, candidates, evidence);
  const judgements: readonly (readonly [string, Finding])[] = [
    ['stored', { ok: true, reason }],
    ['signature', await isSigned(payload, signature, candidates)],
    ...(proofs?.findings ?? []),
    ...(certificate === '' || isKeyless
      ? []
      : [['certificate', await isOfCertificate(payload, signature, certificate)] as const]),
    ...(await contentOf(payload, contentChecks)),
  ];
  const checks = judgements.map(([what, { ok, reason: why }]) => ({
    name: `${name} ${what}`,
    ok,
    reason: why,
  }));
  const notes = [
    ...(proofs?.notes ?? []),
    ...judgements.flatMap(([, judgement]) => judgement.notes ?? []),
  ].map((note) => `${name}: ${note}`);
  if (!checks.every(({ ok }) => ok)) return { checks, notes };
  const json = readJson(payload)?.json;
  const statement = json !== undefined && isStatement(json) ? json : undefined;
  return { checks, notes, statement, provenance: provenanceIn(name, statement) };
}

/** Anyone who may write to a store chooses how deep a payload is, and comparing goes into it. */
async function contentOf(
  payload: Uint8Array,
  contentChecks: ContentChecks,
): Promise<readonly (readonly [string, Finding])[]> {
  try {
    return await contentChecks(payload);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [['content', no('the payload nests too deeply to be compared')]];
  }
}

/** Puts checks together. What is demanded of provenance is asked of all that was proven, and there must be some. */
export function verificationOf(parts: readonly Checked[], expected: Expectations): Verification {
  const made = parts.flatMap(({ checks }) => checks);
  const proven = parts.flatMap(({ provenance }) => provenance ?? []);
  const checks = made.every(({ ok }) => ok) ? [...made, ...demanded(proven, expected)] : made;
  return {
    verified: checks.length > 0 && checks.every(({ ok }) => ok),
    checks,
    notes: parts.flatMap(({ notes = [] }) => notes),
    statements: parts.flatMap(({ statement }) => statement ?? []),
  };
}

/** Of several entries about one thing, by whomever, one that holds is enough; only what holds is reported then. */
export function verificationOfAny(parts: readonly Checked[], expected: Expectations): Verification {
  const good = parts.filter(isGood);
  const enough = meeting(good, expected);
  if (enough.length > 0) {
    const rest = good.filter((part) => part.provenance === undefined && !enough.includes(part));
    return verificationOf([...enough, ...rest], expected);
  }
  const proven = good.flatMap(({ provenance }) => provenance ?? []);
  const none = good.length === 0 ? [{ name: 'signed', ok: false, reason: lacks(parts) }] : [];
  return {
    verified: false,
    checks: [
      ...parts.flatMap(({ checks }) => checks),
      ...none,
      ...(good.length === 0 ? [] : demanded(proven, expected)),
    ],
    notes: [],
    statements: [],
  };
}

/** The parts that hold, and that prove what is demanded where anything is. */
export function meeting(parts: readonly Checked[], expected: Expectations): readonly Checked[] {
  return parts.filter(
    (part) =>
      isGood(part) &&
      (!expectsAnything(expected) || (part.provenance !== undefined && meetsAll(part.provenance, expected))),
  );
}

/** Whether every check holds. */
export function isGood({ checks }: Checked): boolean {
  return checks.every(({ ok }) => ok);
}

function lacks(parts: readonly Checked[]): string {
  return parts.length === 0
    ? 'nothing signed was found'
    : 'nothing that was found is signed by these keys and is about it';
}

/** Judges what is stored with a signature to prove when it was made, and by whom. */
async function evidenceOf(
  { payload, signature, certificate = '', transparency, logAddress }: Omit<Stored, 'name'>,
  keys: readonly VerificationKey[],
  options: EvidenceOptions,
): Promise<EvidenceFindings | undefined> {
  const signed = signedMessage(payload, signature);
  if (typeof signed === 'string') return undefined;
  const key = await signerAmong(keys, signed);
  const verifier = certificate === '' ? key?.publicKey : derOf(certificate);
  const content =
    signed.message === payload
      ? bareContent(payload, signed.signature)
      : envelopeContent(inTotoType, payload, signed.signature);
  return judgeEvidence(
    { content, stored: signature, verifier, certificate, transparency, logAddress },
    options,
  );
}

async function signerAmong(
  keys: readonly VerificationKey[],
  { message, signature }: Signed,
): Promise<VerificationKey | undefined> {
  for (const key of keys) if ((await key.check(message, signature)) === undefined) return key;
  return undefined;
}

/** A certificate in DER; undefined where it can't be read. */
export function derOf(pem: string): Uint8Array | undefined {
  const block = pemBlock(pem, 'CERTIFICATE');
  return block === undefined ? undefined : new Uint8Array(block);
}

async function isSigned(
  payload: Uint8Array,
  stored: Uint8Array,
  keys: readonly VerificationKey[],
): Promise<Finding> {
  const signed = signedMessage(payload, stored);
  if (typeof signed === 'string') return { ok: false, reason: signed };
  if (keys.length === 0) return no('no certificate that can be read is stored beside the signature');
  const reasons: string[] = [];
  for (const key of keys) {
    const isNamed = signed.keyId === '' || key.keyIds.includes(signed.keyId);
    const why = isNamed
      ? await key.check(signed.message, signed.signature)
      : `is not the key that the envelope names, ${quote(signed.keyId)}`;
    if (why === undefined) return { ok: true, reason: `the payload is signed by ${key.id}` };
    reasons.push(`${key.id} ${why}`);
  }
  return { ok: false, reason: reasons.join('; ') };
}

/** The certificate stored with a signature must be of the key that made it; who issued it, and when, is for those who trust it. */
async function isOfCertificate(
  payload: Uint8Array,
  stored: Uint8Array,
  certificate: string,
): Promise<Finding> {
  const signed = signedMessage(payload, stored);
  const key = keyOfCertificate(certificate);
  if (typeof signed === 'string' || key === undefined)
    return { ok: false, reason: "the certificate that is stored beside it can't be read" };
  const why = await key.check(signed.message, signed.signature);
  return why === undefined
    ? { ok: true, reason: 'the certificate is of the key that signed' }
    : { ok: false, reason: `the key of the certificate that is stored beside it, ${key.id}, ${why}` };
}
