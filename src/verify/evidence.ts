import { X509Certificate } from 'node:crypto';
import { caught, ChainsError, reasonOf } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { base64 } from '../keys/pem.ts';
import type { Transparency } from '../model/signature.ts';
import type { SignatureContent } from '../sigstore/content.ts';
import type { JudgeIdentity } from '../sigstore/identity-policy.ts';
import type { TrustedRoot } from '../sigstore/trusted-root.ts';
import { quote, withoutTrailing } from '../text.ts';
import { type Finding, type Findings, no, yes } from './finding.ts';

/** What is demanded of evidence, and the trusted root that it is verified with. */
export interface EvidenceOptions {
  /** Called only when there is evidence. */
  readonly root: () => Promise<TrustedRoot>;
  /** Whether the caller chose that root. Otherwise evidence of services that it doesn't know is left out with a note. */
  readonly isRootGiven: boolean;
  /** Whom the certificate must name; undefined if a key is given. */
  readonly identity?: JudgeIdentity | undefined;
  readonly requireLog: boolean;
  readonly requireTimestamp: boolean;
  /** Whether logs may be asked for entries that are not stored. */
  readonly mayAsk: boolean;
}

/** A signature and the evidence that is stored with it. */
interface WithEvidence {
  readonly content: SignatureContent;
  /** What is stored as the signature: an envelope, or the signature itself. */
  readonly stored: Uint8Array;
  /** DER of the certificate or of the key that signed; undefined for PGP. */
  readonly verifier: Uint8Array | undefined;
  /** PEM; empty if none is stored. */
  readonly certificate: string;
  /** A string says why it can't be read. */
  readonly transparency?: Transparency | string | undefined;
  /** Where the run says that the log has it; only used if no evidence is stored. */
  readonly logAddress?: string | undefined;
}

/** What was found of evidence. */
export interface EvidenceFindings {
  /** About `log`, `timestamp` and `identity`. */
  readonly findings: Findings;
  /** Evidence that could not be judged, and so proves nothing. */
  readonly notes: readonly string[];
}

const nothing: EvidenceFindings = { findings: [], notes: [] };

function refused(name: string, reason: string): EvidenceFindings {
  return { findings: [[name, no(reason)]], notes: [] };
}

/** A piece of evidence is proven, wrong, or of a service that the trusted root doesn't know. */
type Judged = { readonly time: Date | undefined } | { readonly wrong: string } | { readonly unknown: string };

/** Judges what is stored with a signature to prove when and by whom it was made (transparency.md, "Verifying"). */
export async function judgeEvidence(
  stored: WithEvidence,
  options: EvidenceOptions,
): Promise<EvidenceFindings> {
  const { identity, requireLog, requireTimestamp, mayAsk } = options;
  const isDemanded = identity !== undefined || requireLog || requireTimestamp;
  const address = stored.transparency === undefined && mayAsk ? stored.logAddress : undefined;
  if (stored.transparency === undefined && address === undefined && !isDemanded) return nothing;
  const root = await options.root();
  const named = address === undefined ? undefined : await caught(() => readNamedEntry(address, root));
  const failed = named instanceof ChainsError ? [{ unknown: named.message }] : [];
  const transparency =
    named === undefined || named instanceof ChainsError
      ? stored.transparency
      : { logEntries: [named], timestamps: [] };
  if (typeof transparency === 'string') return refused('evidence', `it can't be read: ${transparency}`);
  const fault = transparency && whyUnusable(transparency, stored);
  if (fault !== undefined) return refused('evidence', fault);
  const { logged, stamps } = await judgeAll(stored, transparency, root, options);
  const parts = [
    findingsOf('log', [...failed, ...logged], requireLog),
    findingsOf('timestamp', stamps, requireTimestamp),
  ];
  const times = provenTimes([...logged, ...stamps]);
  const ofIdentity: Findings =
    identity === undefined
      ? []
      : [['identity', await judgeCertificate(stored.certificate, times, identity, root)]];
  return {
    findings: [...parts.flatMap(({ findings }) => findings), ...ofIdentity],
    notes: parts.flatMap(({ notes }) => notes),
  };
}

/**
 * Reads the log entry that a run's annotation names: `<log>/api/v1/log/entries?logIndex=N`. Only logs of the trusted root are
 * asked, since anyone who may annotate a run can set the address.
 * @throws ChainsError WITNESS_…
 */
async function readNamedEntry(address: string, root: TrustedRoot): Promise<JsonObject> {
  const [, log, api, index] =
    /^(https?:\/\/[^?#]+)\/api\/(v[12])\/log\/entries\?logIndex=(\d{1,15})$/.exec(address) ?? [];
  if (log === undefined || !root.logs.some((known) => withoutTrailing(known, '/') === log)) {
    throw new ChainsError(
      'WITNESS_REFUSED',
      `the run names ${quote(address)}, which is not an entry of a log of the trusted root`,
    );
  }
  const { openWitnessService } = await import('../witness/service.ts');
  const service = openWitnessService();
  try {
    if (api === 'v1') {
      const { readFromV1 } = await import('../witness/rekor-v1.ts');
      return await readFromV1(service, address);
    }
    const { readFromTiles } = await import('../witness/tiles.ts');
    const logIds = root.material.tlogs.map(({ logID }) => logID);
    return await readFromTiles(Number(index), { service, url: log, logIds });
  } finally {
    await service.close();
  }
}

/** Why evidence can't be judged at all. */
function whyUnusable(
  { logEntries, timestamps, envelopeTimestamps = [] }: Transparency,
  { verifier }: WithEvidence,
): string | undefined {
  const entries = logEntries.map((entry) => JSON.stringify(entry));
  if (hasDuplicates(entries) || hasDuplicates([...timestamps, ...envelopeTimestamps].map(base64)))
    return 'the same log entry or timestamp is there twice';
  return verifier === undefined ? 'there is no certificate and no key that it can be of' : undefined;
}

function hasDuplicates(texts: readonly string[]): boolean {
  return new Set(texts).size < texts.length;
}

async function judgeAll(
  { content, stored, verifier = new Uint8Array() }: WithEvidence,
  { logEntries, timestamps, envelopeTimestamps = [] }: Transparency = { logEntries: [], timestamps: [] },
  root: TrustedRoot,
  options: EvidenceOptions,
): Promise<{ readonly logged: readonly Judged[]; readonly stamps: readonly Judged[] }> {
  if (logEntries.length + timestamps.length + envelopeTimestamps.length === 0)
    return { logged: [], stamps: [] };
  const { proveEntry, proveTimestamp } = await import('../sigstore/proof.ts');
  const { readLogEntry } = await import('../sigstore/log-entry.ts');
  const stamps = [
    ...timestamps.map((one) => [one, content.signature] as const),
    ...envelopeTimestamps.map((one) => [one, stored] as const),
  ].map(([one, of]) => judge(root, options, 'timestamp server', (trust) => proveTimestamp(one, of, trust)));
  const logged = logEntries.map((json) =>
    judge(root, options, 'transparency log', (trust) => {
      const entry = readLogEntry(json);
      // An invalid entry of a known log is wrong, not unknown.
      const isKnown = root.material.tlogs.some(({ logID }) => logID.equals(entry.logId.keyId));
      const material = isKnown ? root.material : trust;
      return proveEntry(entry, { ...content, verifier }, material, provenTimes(stamps));
    }),
  );
  return { logged, stamps };
}

/** Evidence that doesn't hold with the trusted root, but would without one, is of a service that the root doesn't know. */
function judge(
  root: TrustedRoot,
  { isRootGiven, identity }: EvidenceOptions,
  service: string,
  prove: (trust: TrustedRoot['material'] | undefined) => Date | undefined,
): Judged {
  try {
    return { time: prove(root.material) };
  } catch (error) {
    if (isRootGiven || identity !== undefined) return { wrong: reasonOf(error) };
    try {
      prove(undefined);
      return { unknown: `the trusted root knows no such ${service}; give one that does with --trusted-root` };
    } catch (structural) {
      return { wrong: reasonOf(structural) };
    }
  }
}

function provenTimes(all: readonly Judged[]): readonly Date[] {
  return all.flatMap((one) => ('time' in one ? (one.time ?? []) : []));
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
  const times = provenTimes(all).map((time) => time.toISOString());
  const when = times.length === 0 ? '' : ` at ${times.join(', ')}`;
  return { findings: [[name, yes(`the signature was confirmed${when}`)]], notes: [] };
}

async function judgeCertificate(
  pem: string,
  times: readonly Date[],
  judgeIdentity: JudgeIdentity,
  root: TrustedRoot,
): Promise<Finding> {
  if (pem === '') return no('no certificate is stored with the signature');
  const { proveCertificate } = await import('../sigstore/proof.ts');
  try {
    const identity = proveCertificate(new X509Certificate(pem).raw, times, root.material);
    const wrong = judgeIdentity(identity);
    return wrong === undefined
      ? yes(`the certificate names ${identity.subject} of ${identity.issuer}`)
      : no(wrong);
  } catch (error) {
    return no(reasonOf(error));
  }
}
