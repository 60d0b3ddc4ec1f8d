import { storageKeyOf } from '../../model/artifact.ts';
import { isJsonList, type Json, parseJson } from '../../json.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import { bundleOf } from '../../sigstore/bundle.ts';

/** The document of an artifact, with the fields that every Chains writes (behaviour.md, "Stores"). */
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
  /** The JSON of a Sigstore bundle, where something was confirmed of the signature. */
  readonly Bundle?: string;
  /** The payload as a document. */
  readonly Object: Json;
}

/** The document of an entry. */
export function documentOf(entry: SignedArtifact): SignedDocument {
  const { artifact, payload, signature, transparency } = entry;
  const bundle = transparency === undefined ? undefined : bundleOf(entry);
  return {
    Name: storageKeyOf(artifact),
    Signed: payload.bytes,
    Signature: Buffer.from(signature.bytes).toString('base64'),
    Cert: signature.certificate ?? '',
    Chain: signature.chain ?? '',
    ...(bundle === undefined ? {} : { Bundle: JSON.stringify(bundle) }),
    Object: parseJson(Buffer.from(payload.bytes).toString('utf8')),
  };
}

/**
 * The document for a database that refuses dots and dollar signs in field names: in `Object` the full-width `．` and `＄`
 * stand for them, as MongoDB advised as long as it refused them itself. `Signed` stays what was signed.
 */
export function withPlainNames(document: SignedDocument): SignedDocument {
  return { ...document, Object: plainNames(document.Object) };
}

function plainNames(json: Json): Json {
  if (typeof json !== 'object' || json === null) return json;
  if (isJsonList(json)) return json.map(plainNames);
  const fields = Object.entries(json).map(
    ([name, value]) => [name.replaceAll('.', '．').replaceAll('$', '＄'), plainNames(value ?? null)] as const,
  );
  return Object.fromEntries(fields);
}
