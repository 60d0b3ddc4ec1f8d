import type { X509Certificate as SigstoreCertificate } from '@sigstore/core';
import { RFC3161Timestamp, X509Certificate } from '@sigstore/core';
import { type Signer, type TrustMaterial, Verifier, type SignedEntity } from '@sigstore/verify';
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { SignedContent } from './content.ts';
import { entryFault, type LogEntry } from './log-entry.ts';

/** The identity that a certificate names. */
export interface Identity {
  /** The subject's alternative name: an address, a URI or a name. */
  readonly subject: string;
  /** The issuer of the identity token; empty where the certificate names none. */
  readonly issuer: string;
}

/**
 * Proves that a log has an entry of this signature.
 * @param trust undefined when the log is unknown: only the entry's content is checked then
 * @param stamped times proven elsewhere, in which a log that proves no time must have been valid
 * @returns the time of the entry, when the log has signed one
 * @throws Error that says what does not hold
 */
export function proveEntry(
  entry: LogEntry,
  content: SignedContent,
  trust: TrustMaterial | undefined,
  stamped: readonly Date[] = [],
): Date | undefined {
  const fault = entryFault(entry, content);
  if (fault !== undefined) throw new Error(`the log entry ${fault}`);
  const hasTime = entry.inclusionPromise !== undefined && entry.integratedTime !== '0';
  if (trust !== undefined) {
    refuseStrangeNames(entry);
    const tlogs = hasTime ? trust.tlogs : trust.tlogs.filter((log) => stamped.every(isWithin(log)));
    verify({ trust: { ...trust, tlogs }, signature: content.signature, tlogEntries: [entry] });
  }
  return hasTime ? new Date(Number(entry.integratedTime) * 1_000) : undefined;
}

function isWithin({ validFor: { start, end } }: TrustMaterial['tlogs'][number]): (time: Date) => boolean {
  return (time) => time >= start && time <= end;
}

/** The library uses the signer's name in a checkpoint as a regular expression. */
function refuseStrangeNames({ inclusionProof }: LogEntry): void {
  const envelope = inclusionProof?.checkpoint?.envelope ?? '';
  const names = Array.from(envelope.matchAll(/^\u2014 (\S+) /gmu), ([, name = '']) => name);
  if (!names.every((name) => /^[\w./:@-]{1,255}$/.test(name)))
    throw new Error('the checkpoint is signed in a name that no log has');
}

/**
 * Proves that a timestamp is one of this signature.
 * @param response RFC 3161, DER
 * @param signature what it must be of: the signature itself, or the envelope around it
 * @param trust undefined when the server is unknown: only what the timestamp is of is checked then
 * @throws Error that says what does not hold
 */
export function proveTimestamp(
  response: Uint8Array,
  signature: Uint8Array,
  trust: TrustMaterial | undefined,
): Date {
  const timestamp = RFC3161Timestamp.parse(Buffer.from(response));
  const { messageImprintHashAlgorithm, messageImprintHashedMessage } = timestamp.tstInfo;
  const imprint = createHash(messageImprintHashAlgorithm).update(signature).digest();
  if (!imprint.equals(messageImprintHashedMessage)) throw new Error('the timestamp is of another signature');
  if (trust !== undefined) {
    verify({ trust, signature, timestamps: [{ $case: 'timestamp-authority', timestamp }] });
  }
  return timestamp.signingTime;
}

/**
 * Proves that a certificate comes of a trusted authority, was valid at each of these moments, and is in a log of certificates
 * where the root has one.
 * @param certificate DER
 * @throws Error that says what does not hold
 */
export function proveCertificate(
  certificate: Uint8Array,
  moments: readonly Date[],
  trust: TrustMaterial,
): Identity {
  if (moments.length === 0) throw new Error('nothing proves when the certificate was used');
  verify({
    trust,
    certificate: X509Certificate.parse(Buffer.from(certificate)),
    // These times are proven already; here they only say when the certificate was used.
    timestamps: [...new Set(moments.map(Number))].map((moment) => ({
      $case: 'transparency-log',
      tlogEntry: asEntryOf(moment),
    })),
  });
  return namedIn(certificate);
}

/** Issuers of tokens stand in one extension or, in old certificates, another one. */
const [issuerExtension, oldIssuerExtension] = ['1.3.6.1.4.1.57264.1.8', '1.3.6.1.4.1.57264.1.1'];

/** The identity that a certificate names, not yet proven. @param certificate DER */
export function namedIn(certificate: Uint8Array): Identity {
  const read = X509Certificate.parse(Buffer.from(certificate));
  const issuer =
    read.extension(issuerExtension)?.valueObj.subs[0]?.value ?? read.extension(oldIssuerExtension)?.value;
  return { subject: read.subjectAltName ?? '', issuer: issuer?.toString('utf8') ?? '' };
}

function asEntryOf(moment: number): LogEntry {
  return {
    logIndex: '0',
    logId: { keyId: Buffer.alloc(0) },
    kindVersion: { kind: '', version: '' },
    integratedTime: String(moment / 1_000),
    inclusionPromise: { signedEntryTimestamp: Buffer.alloc(0) },
    inclusionProof: undefined,
    canonicalizedBody: Buffer.alloc(0),
  };
}

interface Claims {
  readonly trust: TrustMaterial;
  readonly signature?: Uint8Array;
  readonly certificate?: SigstoreCertificate;
  readonly tlogEntries?: SignedEntity['tlogEntries'];
  readonly timestamps?: SignedEntity['timestamps'];
}

/** Runs the library's verifier on the parts of a bundle that are to be proven. */
function verify({
  trust,
  signature = new Uint8Array(),
  certificate,
  tlogEntries = [],
  timestamps = [],
}: Claims): Signer {
  const options = {
    tlogThreshold: tlogEntries.length,
    timestampThreshold: timestamps.length,
    ctlogThreshold: certificate !== undefined && trust.ctlogs.length > 0 ? 1 : 0,
  };
  const material = { ...trust, publicKey: () => ({ publicKey: anyKey(), validFor: () => true }) };
  return new Verifier(material, options).verify({
    key:
      certificate === undefined ? { $case: 'public-key', hint: '' } : { $case: 'certificate', certificate },
    tlogEntries,
    timestamps,
    signature: {
      signature: Buffer.from(signature),
      compareSignature: (other) => other.equals(signature),
      // `entryFault` has compared the digests.
      compareDigest: () => true,
      // The signature itself is verified elsewhere.
      verifySignature: () => true,
    },
  });
}

let key: KeyObject | undefined;

/** The library needs a key when there is no certificate, but verifies nothing with it. */
function anyKey(): KeyObject {
  key ??= createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
  });
  return key;
}
