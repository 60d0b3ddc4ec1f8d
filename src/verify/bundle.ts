import { createHash } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { reasonOf } from '../errors.ts';
import { at, type Json, listAt, member, parseBounded, textIn } from '../json.ts';
import { inTotoType, preAuthEncoding } from '../keys/dsse.ts';
import { pemBlock } from '../keys/pem.ts';
import { certificateIn, transparencyIn } from '../sigstore/bundle.ts';
import type { HashName } from '../model/signature.ts';
import { envelopeContent, type SignatureContent } from '../sigstore/content.ts';
import { quote } from '../text.ts';
import {
  type Checked,
  failed,
  isGood,
  type Verification,
  verificationOf,
  type VerificationOptions,
} from './checks.ts';
import { readJson } from './content.ts';
import { type EvidenceOptions, judgeEvidence } from './evidence.ts';
import { checksOf, type Finding, type Findings, no, yes } from './finding.ts';
import { findSigner, type VerificationKey } from './key.ts';
import { provenanceIn } from './provenance.ts';
import { keyOfCertificate } from './public-key.ts';

/** What a bundle is about: its bytes, or only their digest. */
export type BundledArtifact =
  | { readonly bytes: Uint8Array }
  /** 32 bytes. */
  | { readonly sha256: Uint8Array };

/** What a bundle is verified with: keys, or the identity that its certificate must name. */
export interface BundleOptions extends VerificationOptions {
  readonly evidence: EvidenceOptions;
}

/** Verifies a Sigstore bundle from any client (transparency.md, "Verifying"). Everything in it must hold. */
export async function verifyBundle(
  json: Uint8Array,
  artifact: BundledArtifact,
  options: BundleOptions,
): Promise<Verification> {
  const read = readBundle(json);
  const checked =
    typeof read === 'string' ? failed('bundle', read) : await checkBundle(read, artifact, options);
  return verificationOf([checked], options.expected);
}

/** What is in a bundle. */
interface ReadBundle {
  /** A DSSE envelope's content, or the digest of an artifact that is signed as it is. */
  readonly signed:
    | { readonly payload: Uint8Array; readonly payloadType: string }
    | { readonly algorithm: string; readonly digest: Uint8Array };
  readonly signature: Uint8Array;
  /** PEM; empty if it names a key. */
  readonly certificate: string;
  /** The bundle's verification material. */
  readonly material: Json | undefined;
}

/** The bundle; a string says why it isn't one. The library checks that it has the parts of its version. */
function readBundle(bytes: Uint8Array): ReadBundle | string {
  try {
    const json = parseBounded(Buffer.from(bytes).toString('utf8'));
    bundleFromJSON(json);
    const material = member(json, 'verificationMaterial');
    const signed = signedIn(json);
    if (typeof signed === 'string') return signed;
    return { ...signed, certificate: certificateIn(material) ?? '', material };
  } catch (error) {
    return `it is not a Sigstore bundle: ${reasonOf(error)}`;
  }
}

function signedIn(json: Json): Pick<ReadBundle, 'signed' | 'signature'> | string {
  const message = member(json, 'messageSignature');
  if (message !== undefined) {
    const algorithm = textIn(at(message, 'messageDigest', 'algorithm'));
    const digest = bytesIn(at(message, 'messageDigest', 'digest'));
    return { signed: { algorithm, digest }, signature: bytesIn(member(message, 'signature')) };
  }
  const envelope = member(json, 'dsseEnvelope');
  const [signature, ...more] = listAt(envelope, 'signatures');
  if (signature === undefined || more.length > 0)
    return `the envelope has ${more.length + (signature === undefined ? 0 : 1)} signatures, not one`;
  return {
    signed: {
      payload: bytesIn(member(envelope, 'payload')),
      payloadType: textIn(member(envelope, 'payloadType')),
    },
    signature: bytesIn(member(signature, 'sig')),
  };
}

async function checkBundle(
  bundle: ReadBundle,
  artifact: BundledArtifact,
  { keys, evidence }: BundleOptions,
): Promise<Checked> {
  const { signed, certificate, material } = bundle;
  const certified = certificate === '' ? undefined : keyOfCertificate(certificate);
  const candidates = evidence.identity === undefined ? keys : [certified].filter((key) => key !== undefined);
  const { key: signer, reasons } = await findSigner(candidates, (key) => whyNotSigned(bundle, artifact, key));
  const { findings, notes } = await judgeEvidence(
    {
      content: contentOf(bundle, artifact),
      stored: bundle.signature,
      verifier: certificate === '' ? signer?.publicKey : pemBlock(certificate, 'CERTIFICATE'),
      certificate,
      transparency: transparencyIn(material),
    },
    evidence,
  );
  const isSigned =
    signer === undefined
      ? no(reasons.join('; ') || 'it holds no certificate that can be read')
      : yes(`it is signed by ${signer.id}`);
  const all: Findings = [
    ['signature', isSigned],
    ...(certificate !== '' && evidence.identity === undefined
      ? [['certificate', isOfSigner(certified, signer)] as const]
      : []),
    ...findings,
    ['artifact', 'payload' in signed ? isSubject(signed, artifact) : isDigestOf(signed, artifact)],
  ];
  const checks = checksOf(all);
  if (!isGood({ checks })) return { checks, notes };
  const statement = 'payload' in signed ? readJson(signed.payload) : undefined;
  return { checks, notes, statement, provenance: provenanceIn('bundle', statement) };
}

async function whyNotSigned(
  { signed, signature }: ReadBundle,
  artifact: BundledArtifact,
  key: VerificationKey,
): Promise<string | undefined> {
  if ('payload' in signed) return key.check(preAuthEncoding(signed.payloadType, signed.payload), signature);
  if ('bytes' in artifact) return key.check(artifact.bytes, signature);
  if (key.checkSha256 === undefined) return 'signs no digest: give the artifact itself';
  return key.checkSha256(artifact.sha256, signature);
}

/** If keys are given, a certificate in the bundle must be of the key that signed. */
function isOfSigner(certified: VerificationKey | undefined, signer: VerificationKey | undefined): Finding {
  return certified !== undefined && certified.id === signer?.id
    ? yes('the certificate is of the key that signed')
    : no('the bundle holds a certificate of another key than the one that is given');
}

function contentOf({ signed, signature }: ReadBundle, artifact: BundledArtifact): SignatureContent {
  if ('payload' in signed) return envelopeContent(signed.payloadType, signed.payload, signature);
  return {
    signature,
    payloadDigest: undefined,
    signedDigest: (algorithm) => digestOf(artifact, algorithm),
  };
}

/** Undefined if the artifact is only known by another digest. */
function digestOf(artifact: BundledArtifact, algorithm: HashName): Uint8Array | undefined {
  if ('bytes' in artifact) return createHash(algorithm).update(artifact.bytes).digest();
  return algorithm === 'sha256' ? artifact.sha256 : undefined;
}

const statementTypes = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'];

function isSubject(
  { payload, payloadType }: { readonly payload: Uint8Array; readonly payloadType: string },
  artifact: BundledArtifact,
): Finding {
  if (payloadType !== inTotoType)
    return no(`the envelope is of the type ${quote(payloadType)}, not ${inTotoType}`);
  const statement = readJson(payload);
  const type = textIn(member(statement, '_type'));
  if (!statementTypes.includes(type))
    return no(`the payload is of the type ${quote(type)}, which is not known`);
  const sha256 = sha256Of(artifact);
  const isNamed = listAt(statement, 'subject').some((subject) => at(subject, 'digest', 'sha256') === sha256);
  return isNamed
    ? yes(`the statement names sha256:${sha256}`)
    : no(`the statement does not name sha256:${sha256}`);
}

/** Hash functions by their names in protobuf. */
const hashes = new Map<string, HashName>([
  ['SHA2_256', 'sha256'],
  ['SHA2_384', 'sha384'],
  ['SHA2_512', 'sha512'],
]);

function isDigestOf(
  { algorithm, digest }: { readonly algorithm: string; readonly digest: Uint8Array },
  artifact: BundledArtifact,
): Finding {
  const hash = hashes.get(algorithm);
  if (hash === undefined) return no(`the bundle names the digest ${quote(algorithm)}, which is not known`);
  const expected = digestOf(artifact, hash);
  if (expected === undefined) return no(`the bundle is of a ${hash} digest: give the artifact itself`);
  return Buffer.from(expected).equals(digest)
    ? yes(`the bundle is of sha256:${sha256Of(artifact)}`)
    : no('the bundle is of another artifact');
}

function sha256Of(artifact: BundledArtifact): string {
  return Buffer.from(digestOf(artifact, 'sha256') ?? []).toString('hex');
}

function bytesIn(value: Json | undefined): Buffer {
  return Buffer.from(textIn(value), 'base64');
}
