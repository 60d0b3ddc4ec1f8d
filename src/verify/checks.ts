import type { Json } from '../json.ts';
import { inTotoType } from '../keys/dsse.ts';
import { pemBlock } from '../keys/pem.ts';
import type { StoredEntry } from '../model/stored.ts';
import { bareContent, envelopeContent } from '../sigstore/content.ts';
import { quote } from '../text.ts';
import { readJson } from './content.ts';
import { type Signed, signedMessage } from './envelope.ts';
import { type EvidenceFindings, type EvidenceOptions, judgeEvidence } from './evidence.ts';
import { type Check, checksOf, type Finding, type Findings, no, yes } from './finding.ts';
import { findSigner, type VerificationKey } from './key.ts';
import { type Expectations, expectationChecks, type Proof, provenanceIn } from './provenance.ts';
import { keyOfCertificate } from './public-key.ts';
import { isStatement } from './statement.ts';

/** Whether everything that had to hold does. */
export interface Verification {
  readonly verified: boolean;
  /** In the order in which they were made; checks that make no sense after a failed one are left out. */
  readonly checks: readonly Check[];
  /** What a reader should know although it holds, such as what was not compared. */
  readonly notes: readonly string[];
  /** The statements whose checks all hold. */
  readonly statements: readonly Json[];
}

/** What verifying needs besides what is verified. */
export interface VerificationOptions {
  /** One of them must have signed. */
  readonly keys: readonly VerificationKey[];
  readonly expected: Expectations;
  /** What is demanded of logs, timestamps and certificates; without it they are ignored. */
  readonly evidence?: EvidenceOptions | undefined;
}

/** A payload with its signature, as a store returned them. */
interface Stored extends Omit<StoredEntry, 'place'> {
  /** What it is called in checks: `taskrun-<uid>`, `image signature`. */
  readonly name: string;
  /** Where the run says that a log has the signature. */
  readonly logAddress?: string | undefined;
  /** Where it was, for the reason of a check. */
  readonly place?: string;
}

/** What must hold of a payload's content. */
export type ContentChecks = (payload: Uint8Array) => Promise<Findings>;

/** What was found of one payload: its checks, and the statement in it if all of them hold. */
export interface Checked {
  readonly checks: readonly Check[];
  readonly notes?: readonly string[];
  readonly statement?: Json | undefined;
  /** The provenance that it proves, if all checks hold. */
  readonly provenance?: Proof | undefined;
}

/** Checks the signature, then the content. */
export async function checkStored(
  stored: Stored,
  { keys, evidence }: Pick<VerificationOptions, 'keys' | 'evidence'>,
  contentChecks: ContentChecks,
): Promise<Checked> {
  const { name, payload, signature, certificate = '', place } = stored;
  const certified = keyOfCertificate(certificate);
  const isKeyless = evidence?.identity !== undefined;
  const candidates = isKeyless ? [certified].filter((key) => key !== undefined) : keys;
  const where = place === undefined ? '' : ` at ${place}`;
  const reason = `a payload of ${payload.length} bytes and a signature of ${signature.length}${where}`;
  const signed = signedMessage(payload, signature);
  const proofs = evidence && (await evidenceOf(stored, signed, candidates, evidence));
  const findings: Findings = [
    ['stored', yes(reason)],
    ['signature', await isSigned(signed, candidates)],
    ...(proofs?.findings ?? []),
    ...(certificate === '' || isKeyless
      ? []
      : [['certificate', await isOfCertificate(signed, certified)] as const]),
    ...(await contentOf(payload, contentChecks)),
  ];
  const checks = checksOf(findings, `${name} `);
  const notes = [...(proofs?.notes ?? []), ...findings.flatMap(([, finding]) => finding.notes ?? [])].map(
    (note) => `${name}: ${note}`,
  );
  if (!isGood({ checks })) return { checks, notes };
  const json = readJson(payload);
  const statement = json !== undefined && isStatement(json) ? json : undefined;
  return { checks, notes, statement, provenance: provenanceIn(name, statement) };
}

/** Whoever may write to a store decides how deeply a payload nests, and comparing it is recursive. */
async function contentOf(payload: Uint8Array, contentChecks: ContentChecks): Promise<Findings> {
  try {
    return await contentChecks(payload);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [['content', no('the payload nests too deeply to be compared')]];
  }
}

/** Combines checks. What is expected of provenance must hold for all that was proven, and there must be some. */
export function verificationOf(parts: readonly Checked[], expected: Expectations): Verification {
  const made = parts.flatMap(({ checks }) => checks);
  const checks = isGood({ checks: made }) ? [...made, ...expectationChecks(provenIn(parts), expected)] : made;
  return {
    verified: checks.length > 0 && isGood({ checks }),
    checks,
    notes: parts.flatMap(({ notes = [] }) => notes),
    statements: parts.flatMap(({ statement }) => statement ?? []),
  };
}

/** One good entry among several about the same thing is enough, and then only good ones are reported. */
export function verificationOfAny(parts: readonly Checked[], expected: Expectations): Verification {
  const good = parts.filter(isGood);
  const enough = meeting(good, expected);
  if (enough.length > 0) {
    const rest = good.filter((part) => part.provenance === undefined && !enough.includes(part));
    return verificationOf([...enough, ...rest], expected);
  }
  const missing =
    parts.length === 0
      ? 'nothing signed was found'
      : 'nothing that was found is signed by these keys and is about it';
  const lacks =
    good.length === 0 ? checksOf([['signed', no(missing)]]) : expectationChecks(provenIn(good), expected);
  return {
    verified: false,
    checks: [...parts.flatMap(({ checks }) => checks), ...lacks],
    notes: [],
    statements: [],
  };
}

/** The parts that hold, and whose provenance says what is expected, if anything is. */
export function meeting(parts: readonly Checked[], expected: Expectations): readonly Checked[] {
  return parts.filter(
    (part) => isGood(part) && isGood({ checks: expectationChecks(provenIn([part]), expected) }),
  );
}

/** A failed check. */
export function failed(name: string, reason: string): Checked {
  return { checks: checksOf([[name, no(reason)]]) };
}

/** Whether every check holds. */
export function isGood({ checks }: Checked): boolean {
  return checks.every(({ ok }) => ok);
}

function provenIn(parts: readonly Checked[]): readonly Proof[] {
  return parts.flatMap(({ provenance }) => provenance ?? []);
}

/** Judges what is stored with a signature to prove when and by whom it was made. */
async function evidenceOf(
  { payload, signature: stored, certificate = '', transparency, logAddress }: Stored,
  signed: Signed | string,
  keys: readonly VerificationKey[],
  options: EvidenceOptions,
): Promise<EvidenceFindings | undefined> {
  if (typeof signed === 'string') return undefined;
  const { message, signature } = signed;
  const { key } = await findSigner(keys, (one) => one.check(message, signature));
  const verifier = certificate === '' ? key?.publicKey : pemBlock(certificate, 'CERTIFICATE');
  const content =
    message === payload ? bareContent(payload, signature) : envelopeContent(inTotoType, payload, signature);
  return judgeEvidence({ content, stored, verifier, certificate, transparency, logAddress }, options);
}

async function isSigned(signed: Signed | string, keys: readonly VerificationKey[]): Promise<Finding> {
  if (typeof signed === 'string') return no(signed);
  if (keys.length === 0) return no('no certificate that can be read is stored with the signature');
  const { message, signature, keyId } = signed;
  const { key, reasons } = await findSigner(keys, async (one) =>
    keyId === '' || one.keyIds.includes(keyId)
      ? one.check(message, signature)
      : `is not the key that the envelope names, ${quote(keyId)}`,
  );
  return key === undefined ? no(reasons.join('; ')) : yes(`the payload is signed by ${key.id}`);
}

/** The certificate stored with a signature must be of the key that made it; its issuer and validity are not checked here. */
async function isOfCertificate(
  signed: Signed | string,
  certified: VerificationKey | undefined,
): Promise<Finding> {
  if (typeof signed === 'string' || certified === undefined)
    return no("the certificate that is stored with it can't be read");
  const why = await certified.check(signed.message, signed.signature);
  return why === undefined
    ? yes('the certificate is of the key that signed')
    : no(`the key of the certificate that is stored with it, ${certified.id}, ${why}`);
}
