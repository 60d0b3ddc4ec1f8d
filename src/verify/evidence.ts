import type { Transparency } from '../model/signature.ts';
import { caught, ChainsError, reasonOf } from '../errors.ts';
import type { SignedContent } from '../sigstore/content.ts';
import type { JudgeIdentity } from '../sigstore/identity-policy.ts';
import type { TrustedRoot } from '../sigstore/trusted-root.ts';
import { type Finding, no } from './judgement.ts';
import { readNamedEntry } from './log.ts';

/** What is demanded of evidence, and whom it is proven with. */
export interface EvidenceOptions {
  /** Whose certificates, logs and timestamps are trusted; asked for when there is evidence. */
  readonly root: () => Promise<TrustedRoot>;
  /** Whether the caller chose that root. Evidence of services that only the shipped root doesn't know is left out with a note. */
  readonly isRootGiven: boolean;
  /** Whom the certificate must name; undefined where a key is given. */
  readonly identity?: JudgeIdentity | undefined;
  readonly requireLog: boolean;
  readonly requireTimestamp: boolean;
  /** Whether logs may be asked for what is not stored. */
  readonly mayAsk: boolean;
}

/** What was stored of one signature, for its evidence. */
export interface WithEvidence {
  readonly content: Omit<SignedContent, 'verifier'>;
  /** What is stored as the signature: an envelope, or the signature itself. */
  readonly stored: Uint8Array;
  /** DER of the certificate or of the key that signed; undefined for PGP. */
  readonly verifier: Uint8Array | undefined;
  /** PEM; empty where none is stored. */
  readonly certificate: string;
  /** A text says why it can't be read. */
  readonly transparency: Transparency | string | undefined;
  /** Where the run says that the log has it; only asked where nothing is stored. */
  readonly logAddress: string | undefined;
}

/** What was found of evidence. */
export interface EvidenceFindings {
  /** By what they are about: `log`, `timestamp`, `identity`. */
  readonly findings: readonly (readonly [string, Finding])[];
  /** What is there and could not be judged: nothing is proven by it. */
  readonly notes: readonly string[];
}

const nothing: EvidenceFindings = { findings: [], notes: [] };

/** One finding that something does not hold. */
function refused(name: string, reason: string): EvidenceFindings {
  return { findings: [[name, no(reason)]], notes: [] };
}

/** How far one piece of evidence goes: proven, of something else, or of a service that the trusted root doesn't know. */
type Judged =
  | { readonly moment: Date | undefined }
  | { readonly wrong: string }
  | { readonly unknown: string };

/** Judges what is stored with a signature to prove when it was made, and by whom (transparency.md, "Verifying"). */
export async function judgeEvidence(
  stored: WithEvidence,
  options: EvidenceOptions,
): Promise<EvidenceFindings> {
  const { identity, requireLog, requireTimestamp, mayAsk } = options;
  const isDemanded = identity !== undefined || requireLog || requireTimestamp;
  const address = stored.transparency === undefined && mayAsk ? stored.logAddress : undefined;
  if (stored.transparency === undefined && address === undefined && !isDemanded) return nothing;
  const root = await options.root();
  const asked = address === undefined ? undefined : await caught(() => readNamedEntry(address, root));
  if (asked instanceof ChainsError)
    return findingsOfAll(stored, { root, options, logged: [{ unknown: asked.message }], stamps: [] });
  const transparency = asked === undefined ? stored.transparency : { logEntries: [asked], timestamps: [] };
  const fault = transparency === undefined ? undefined : whyUnusable(transparency, stored);
  if (fault !== undefined || typeof transparency === 'string') return refused('evidence', fault ?? '');
  return findingsOfAll(stored, { root, options, ...(await judgeAll(stored, transparency, root, options)) });
}

/** Why evidence can't be judged at all. */
function whyUnusable(transparency: Transparency | string, { verifier }: WithEvidence): string | undefined {
  if (typeof transparency === 'string') return `it can't be read: ${transparency}`;
  const { logEntries, timestamps, envelopeTimestamps = [] } = transparency;
  const stamps = [...timestamps, ...envelopeTimestamps];
  if (hasTwice(logEntries.map((entry) => JSON.stringify(entry))) || hasTwice(stamps.map(base64)))
    return 'the same log entry or timestamp is there twice';
  return verifier === undefined ? 'there is no certificate and no key that it can be of' : undefined;
}

interface JudgedEvidence {
  readonly logged: readonly Judged[];
  readonly stamps: readonly Judged[];
}

async function judgeAll(
  { content, stored, verifier = new Uint8Array() }: WithEvidence,
  { logEntries, timestamps, envelopeTimestamps = [] }: Transparency = { logEntries: [], timestamps: [] },
  root: TrustedRoot,
  options: EvidenceOptions,
): Promise<JudgedEvidence> {
  if (logEntries.length + timestamps.length + envelopeTimestamps.length === 0)
    return { logged: [], stamps: [] };
  const { proveEntry, proveTimestamp } = await import('../sigstore/proof.ts');
  const { readLogEntry } = await import('../sigstore/log-entry.ts');
  const signed = { ...content, verifier };
  const stamps = [
    ...timestamps.map((one) => [one, content.signature] as const),
    ...envelopeTimestamps.map((one) => [one, stored] as const),
  ].map(([one, of]) => judged(root, options, 'timestamp server', (trust) => proveTimestamp(one, of, trust)));
  const stamped = stamps.flatMap((one) => ('moment' in one ? (one.moment ?? []) : []));
  const logged = logEntries.map((json) =>
    judged(root, options, 'transparency log', (trust) => {
      const entry = readLogEntry(json);
      // What a log that is known did not say is wrong, not unknown.
      const isKnown = root.material.tlogs.some(({ logID }) => logID.equals(entry.logId.keyId));
      return proveEntry(entry, signed, isKnown ? root.material : trust, stamped);
    }),
  );
  return { logged, stamps };
}

async function findingsOfAll(
  { certificate }: WithEvidence,
  {
    root,
    options: { identity, requireLog, requireTimestamp },
    logged,
    stamps,
  }: JudgedEvidence & { readonly root: TrustedRoot; readonly options: EvidenceOptions },
): Promise<EvidenceFindings> {
  const parts = [findingsOf('log', logged, requireLog), findingsOf('timestamp', stamps, requireTimestamp)];
  const moments = [...logged, ...stamps].flatMap((one) => ('moment' in one ? (one.moment ?? []) : []));
  const certified =
    identity === undefined
      ? []
      : [['identity', await judgeCertificate(certificate, moments, identity, root)] as const];
  return {
    findings: [...parts.flatMap(({ findings }) => findings), ...certified],
    notes: parts.flatMap(({ notes }) => notes),
  };
}

function hasTwice(texts: readonly string[]): boolean {
  return new Set(texts).size < texts.length;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** What doesn't hold with the trusted root but would without it is of a service that the root doesn't know. */
function judged(
  root: TrustedRoot,
  { isRootGiven, identity }: EvidenceOptions,
  what: string,
  prove: (trust: TrustedRoot['material'] | undefined) => Date | undefined,
): Judged {
  try {
    return { moment: prove(root.material) };
  } catch (error) {
    if (isRootGiven || identity !== undefined) return { wrong: reasonOf(error) };
    try {
      prove(undefined);
      return { unknown: `the trusted root knows no such ${what}; give one that does with --trusted-root` };
    } catch (structural) {
      return { wrong: reasonOf(structural) };
    }
  }
}

function findingsOf(name: string, all: readonly Judged[], isRequired: boolean): EvidenceFindings {
  const wrong = all.flatMap((one) => ('wrong' in one ? [one.wrong] : []));
  if (wrong.length > 0) return refused(name, wrong.join('; '));
  if (all.length === 0)
    return isRequired ? refused(name, 'nothing of the kind is stored with the signature') : nothing;
  const unknown = all.flatMap((one) => ('unknown' in one ? [one.unknown] : []));
  if (unknown.length > 0) {
    const reason = unknown.join('; ');
    return isRequired ? refused(name, reason) : { findings: [], notes: [`${name}: not verified: ${reason}`] };
  }
  const moments = all.flatMap((one) => ('moment' in one ? (one.moment?.toISOString() ?? []) : []));
  const when = moments.length === 0 ? '' : ` at ${moments.join(', ')}`;
  return { findings: [[name, { ok: true, reason: `the signature was confirmed${when}` }]], notes: [] };
}

async function judgeCertificate(
  pem: string,
  moments: readonly Date[],
  judge: JudgeIdentity,
  root: TrustedRoot,
): Promise<Finding> {
  if (pem === '') return no('no certificate is stored with the signature');
  const { X509Certificate } = await import('node:crypto');
  const { proveCertificate } = await import('../sigstore/proof.ts');
  try {
    const identity = proveCertificate(new X509Certificate(pem).raw, moments, root.material);
    const wrong = judge(identity);
    return wrong === undefined
      ? { ok: true, reason: `the certificate names ${identity.subject} of ${identity.issuer}` }
      : no(wrong);
  } catch (error) {
    return no(reasonOf(error));
  }
}
