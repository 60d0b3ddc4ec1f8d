import type { JsonObject } from '../json.ts';
import type { Artifact } from './artifact.ts';

/** A payload. Its bytes are made once: what is signed is exactly what is stored. */
export interface Payload {
  readonly bytes: Uint8Array;
  /** The ConfigMap's name of the format that made it. */
  readonly format: string;
  /** The payload type of the DSSE envelope that it is signed in; undefined where the payload itself is signed. */
  readonly dsseType?: string;
}

/** A hash function, as node names it. */
export type HashName = 'sha256' | 'sha384' | 'sha512';

/** How a key signs. ECDSA's signatures are DER. */
export interface Algorithm {
  /** What is signed is this digest of the message; undefined for Ed25519, which signs the message itself. */
  readonly digest: HashName | undefined;
  /** RSA with PSS instead of PKCS #1 v1.5. */
  readonly pss?: boolean;
}

/** The key that made a signature, so that later stages don't need the signer. */
export interface SigningKey {
  /** SPKI PEM, or an armored PGP public key with all its parts. */
  readonly publicKey: string;
  /** `SHA256:` and the unpadded base64 SHA-256 of the public key in SSH wire format, for PGP of the part that signed. */
  readonly keyId: string;
  /** Undefined for PGP, whose signatures state it. */
  readonly algorithm?: Algorithm;
}

/** A signature as it is stored, with the key that made it. */
export interface Signature {
  /** The bytes that are stored: DER, raw Ed25519, an armored PGP signature or a DSSE envelope's JSON. */
  readonly bytes: Uint8Array;
  readonly key: SigningKey;
  /** PEM; only for certificates. */
  readonly certificate?: string;
  /** PEM; only for certificates. */
  readonly chain?: string;
  /** When a short-lived certificate expires; its signatures need a proof of time. */
  readonly validUntil?: Date;
}

/** Proofs by others about a signature: entries of transparency logs, and timestamps. */
export interface Transparency {
  /** `TransparencyLogEntry` in the JSON of protobuf, as Sigstore's bundles hold it. */
  readonly logEntries: readonly JsonObject[];
  /** For the signature itself: RFC 3161 responses, DER. */
  readonly timestamps: readonly Uint8Array[];
  /** For the whole envelope, as cosign expects them on attestations; elsewhere there are none. */
  readonly envelopeTimestamps?: readonly Uint8Array[];
}

/** An artifact with its payload and signature, which every store accepts. */
export interface SignedArtifact {
  readonly artifact: Artifact;
  readonly payload: Payload;
  readonly signature: Signature;
  /** Undefined where no witness was asked. */
  readonly transparency?: Transparency;
}
