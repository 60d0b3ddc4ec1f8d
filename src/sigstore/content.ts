import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { type Envelope, preAuthEncoding, readEnvelope } from '../keys/dsse.ts';
import { parseJson } from '../json.ts';
import type { HashName, SignedArtifact } from '../model/signature.ts';

/** A signature, what it is of, and whose it is: what log entries and timestamps must speak of. */
export interface SignedContent {
  /** The digest of what was signed: of a DSSE envelope the pre-authentication encoding. Undefined where it is not known. */
  readonly signedDigest: (algorithm: HashName) => Uint8Array | undefined;
  /** The digest of a DSSE envelope's payload; undefined for what is signed bare. */
  readonly payloadDigest: ((algorithm: HashName) => Uint8Array) | undefined;
  /** The signature itself, not an envelope around it. */
  readonly signature: Uint8Array;
  /** The certificate or public key, DER. */
  readonly verifier: Uint8Array;
}

/** The content of an entry that was just signed. */
export function contentOf({ payload, signature }: SignedArtifact): SignedContent {
  const verifier = verifierOf(signature.certificate ?? signature.key.publicKey);
  if (payload.dsseType === undefined) {
    return { ...bareContent(payload.bytes, signature.bytes), verifier };
  }
  const [own] = envelopeIn(signature.bytes).signatures;
  const bytes = Buffer.from(own?.sig ?? '', 'base64');
  return { ...envelopeContent(payload.dsseType, payload.bytes, bytes), verifier };
}

/** Without the verifier: bytes that are signed as they are. */
export function bareContent(message: Uint8Array, signature: Uint8Array): Omit<SignedContent, 'verifier'> {
  return { signedDigest: digestOf(message), payloadDigest: undefined, signature };
}

/** Without the verifier: a payload that is signed in a DSSE envelope. */
export function envelopeContent(
  payloadType: string,
  payload: Uint8Array,
  signature: Uint8Array,
): Omit<SignedContent, 'verifier'> {
  return {
    signedDigest: digestOf(preAuthEncoding(payloadType, payload)),
    payloadDigest: digestOf(payload),
    signature,
  };
}

/** The DER of a certificate or a public key in PEM. */
export function verifierOf(pem: string): Uint8Array {
  return pem.includes('BEGIN CERTIFICATE')
    ? new X509Certificate(pem).raw
    : createPublicKey(pem).export({ format: 'der', type: 'spki' });
}

/** The envelope that a signature is stored as. @throws SyntaxError where it is none */
export function envelopeIn(stored: Uint8Array): Envelope {
  const envelope = readEnvelope(parseJson(Buffer.from(stored).toString('utf8')));
  if (envelope === undefined) throw new SyntaxError('the signature is not a DSSE envelope');
  return envelope;
}

function digestOf(bytes: Uint8Array): (algorithm: HashName) => Uint8Array {
  return (algorithm) => createHash(algorithm).update(bytes).digest();
}
