import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { preAuthEncoding, readEnvelope } from '../keys/dsse.ts';
import { parseJson } from '../json.ts';
import type { HashName, SignedArtifact } from '../model/signature.ts';

/** A signature and what it signs. */
export interface SignatureContent {
  /** The digest of what was signed: for a DSSE envelope the pre-authentication encoding. Undefined if it is not known. */
  readonly signedDigest: (algorithm: HashName) => Uint8Array | undefined;
  /** The digest of a DSSE envelope's payload; undefined for a bare signature. */
  readonly payloadDigest: ((algorithm: HashName) => Uint8Array) | undefined;
  /** The signature itself, not the envelope that holds it. */
  readonly signature: Uint8Array;
}

/** What log entries and timestamps must be about. */
export interface SignedContent extends SignatureContent {
  /** The certificate or public key, DER. */
  readonly verifier: Uint8Array;
}

/** The content of an entry that was just signed. */
export function contentOf({ payload, signature }: SignedArtifact): SignedContent {
  const verifier = verifierOf(signature.certificate ?? signature.key.publicKey);
  if (payload.dsseType === undefined) {
    return { ...bareContent(payload.bytes, signature.bytes), verifier };
  }
  const envelope = readEnvelope(parseJson(Buffer.from(signature.bytes).toString('utf8')));
  if (envelope === undefined) throw new SyntaxError('the signature is not a DSSE envelope');
  const [own] = envelope.signatures;
  const bytes = Buffer.from(own?.sig ?? '', 'base64');
  return { ...envelopeContent(payload.dsseType, payload.bytes, bytes), verifier };
}

/** The content of a bare signature. */
export function bareContent(message: Uint8Array, signature: Uint8Array): SignatureContent {
  return { signedDigest: digestOf(message), payloadDigest: undefined, signature };
}

/** The content of a signature in a DSSE envelope. */
export function envelopeContent(
  payloadType: string,
  payload: Uint8Array,
  signature: Uint8Array,
): SignatureContent {
  return {
    signedDigest: digestOf(preAuthEncoding(payloadType, payload)),
    payloadDigest: digestOf(payload),
    signature,
  };
}

/** The DER of a certificate or a public key in PEM. */
function verifierOf(pem: string): Uint8Array {
  return pem.includes('BEGIN CERTIFICATE')
    ? new X509Certificate(pem).raw
    : createPublicKey(pem).export({ format: 'der', type: 'spki' });
}

function digestOf(bytes: Uint8Array): (algorithm: HashName) => Uint8Array {
  return (algorithm) => createHash(algorithm).update(bytes).digest();
}
