import { storageKeyOf } from '../../model/artifact.ts';
import { type Json, parseJson } from '../../model/json.ts';
import type { SignedArtifact } from '../../model/signature.ts';

/** The document of an artifact, with the fields that every Chains writes (behaviour.md, “Stores”). */
export interface SignedDocument {
  /** The key that the artifact is stored under, which is the document's id too. */
  readonly Name: string;
  /** The payload. */
  readonly Signed: Uint8Array;
  /** What is stored as the signature, in padded standard base64. */
  readonly Signature: string;
  /** PEM; empty where there is none. */
  readonly Cert: string;
  /** PEM; empty where there is none. */
  readonly Chain: string;
  /** The payload as a document. */
  readonly Object: Json;
}

/** The document of an entry. */
export function documentOf({ artifact, payload, signature }: SignedArtifact): SignedDocument {
  return {
    Name: storageKeyOf(artifact),
    Signed: payload.bytes,
    Signature: Buffer.from(signature.bytes).toString('base64'),
    Cert: signature.certificate ?? '',
    Chain: signature.chain ?? '',
    Object: parseJson(Buffer.from(payload.bytes).toString('utf8')),
  };
}
