import { RFC3161Timestamp, X509Certificate } from '@sigstore/core';
import { type TrustMaterial, Verifier, type SignedEntity } from '@sigstore/verify';
import { createHash, createPublicKey, X509Certificate as PemCertificate } from 'node:crypto';
import type { Signature } from '../model/signature.ts';
import type { SignedContent } from './content.ts';
import { entryFault, type LogEntry } from './log-entry.ts';

/** The identity that a certificate names. */
export interface Identity {
  /** The subject's alternative name: an address, a URI or a name. */
  readonly subject: string;
  /** The issuer of the identity token; empty if the certificate names none. */
  readonly issuer: string;
}

/**
 * Proves that a log has an entry of this signature.
 * @param trust undefined when the log is unknown: then only the entry's content is checked
 * @param stamped times proven by timestamps, at which a log that signs no time must have been valid
 * @returns the time of the entry, if the log has signed one
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
    throw new Error('the checkpoint is signed under a name that no log can have');
}

/**
 * Proves that a timestamp is one of this signature.
 * @param response RFC 3161, DER
 * @param signature what it must be of: the signature itself, or the envelope that holds it
 * @param trust undefined when the server is unknown: then only what the timestamp is of is checked
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
 * Proves that a certificate was issued by a trusted authority, was valid at each of these times, and is in a certificate
 * transparency log if the root has one.
 * @param certificate DER
 * @throws Error that says what does not hold
 */
export function proveCertificate(
  certificate: Uint8Array,
  times: readonly Date[],
  trust: TrustMaterial,
): Identity {
  if (times.length === 0) throw new Error('nothing proves when the certificate was used');
  verify({
    trust,
    certificate: X509Certificate.parse(Buffer.from(certificate)),
    // These times have been proven before; here they only say when the certificate was used.
    timestamps: [...new Set(times.map(Number))].map((time) => ({
      $case: 'transparency-log',
      tlogEntry: entryAt(time),
    })),
  });
  return namedIn(certificate);
}

/** The extensions that hold the issuer of the identity token: the current one, and that of old certificates. */
const [issuerExtension, oldIssuerExtension] = ['1.3.6.1.4.1.57264.1.8', '1.3.6.1.4.1.57264.1.1'];

/** The identity that a certificate names, not verified. @param certificate DER */
export function namedIn(certificate: Uint8Array): Identity {
  const read = X509Certificate.parse(Buffer.from(certificate));
  const issuer =
    read.extension(issuerExtension)?.valueObj.subs[0]?.value ?? read.extension(oldIssuerExtension)?.value;
  return { subject: read.subjectAltName ?? '', issuer: issuer?.toString('utf8') ?? '' };
}

/**
 * Whether another certificate names the same identity, and was issued by the authority that issued ours. All in PEM.
 * @param ours with the chain above it
 */
export function isOfSameIdentity(
  { certificate = '', chain = '' }: Pick<Signature, 'certificate' | 'chain'>,
  other: string,
): boolean {
  try {
    const ours = namedIn(new PemCertificate(certificate).raw);
    const [theirs, authority] = [new PemCertificate(other), new PemCertificate(chain)];
    const named = namedIn(theirs.raw);
    return (
      ours.subject === named.subject &&
      ours.issuer === named.issuer &&
      theirs.checkIssued(authority) &&
      theirs.verify(authority.publicKey)
    );
  } catch {
    // A certificate that can't be read is not ours.
    return false;
  }
}

/** A log entry of this time, for the library, which takes a certificate's times from log entries. */
function entryAt(time: number): LogEntry {
  return {
    logIndex: '0',
    logId: { keyId: Buffer.alloc(0) },
    kindVersion: { kind: '', version: '' },
    integratedTime: String(time / 1_000),
    inclusionPromise: { signedEntryTimestamp: Buffer.alloc(0) },
    inclusionProof: undefined,
    canonicalizedBody: Buffer.alloc(0),
  };
}

interface Claims {
  readonly trust: TrustMaterial;
  readonly signature?: Uint8Array;
  readonly certificate?: X509Certificate;
  readonly tlogEntries?: SignedEntity['tlogEntries'];
  readonly timestamps?: SignedEntity['timestamps'];
}

/** Runs the library's verifier on some parts of a bundle. */
function verify({
  trust,
  signature = new Uint8Array(),
  certificate,
  tlogEntries = [],
  timestamps = [],
}: Claims): void {
  const options = {
    tlogThreshold: tlogEntries.length,
    timestampThreshold: timestamps.length,
    ctlogThreshold: certificate !== undefined && trust.ctlogs.length > 0 ? 1 : 0,
  };
  const material = { ...trust, publicKey: () => ({ publicKey: anyKey, validFor: () => true }) };
  new Verifier(material, options).verify({
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

/** The library needs a key when there is no certificate, but verifies nothing with it. */
const anyKey = createPublicKey({
  format: 'jwk',
  key: { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
});
