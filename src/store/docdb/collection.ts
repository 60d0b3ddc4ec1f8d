import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../errors.ts';
import { type Json, type JsonObject, parseJson } from '../../json.ts';
import { storageKeyOf } from '../../model/artifact.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import type { StoredPlace } from '../../model/stored.ts';
import { bundleOf, evidenceInBundle } from '../../sigstore/bundle.ts';
import { strictBase64 } from '../../text.ts';

/** A collection of documents in one kind of database. */
export interface Collection {
  /**
   * Writes a document; it replaces one with the same id.
   * @throws ChainsError PAYLOAD_TOO_LARGE, STORE_REFUSED or STORE_UNAVAILABLE
   */
  put(document: SignedDocument, signal?: AbortSignal): Promise<void>;
  /** Reads a document's payload, signature, certificate and bundle. @throws ChainsError STORE_REFUSED or STORE_UNAVAILABLE */
  get(id: string, signal?: AbortSignal): Promise<ReadDocument | undefined>;
  close(): Promise<void>;
}

/** The value of `storage.docdb.url`. */
export type CollectionReference = NonNullable<Config['storage.docdb.url']>;

/**
 * Opens a collection; the connection is made when it is first needed.
 * @param timeout how long to wait for an answer, in milliseconds
 * @throws ChainsError CONFIG_INVALID
 */
export type OpenCollection = (reference: CollectionReference, config: Config, timeout: number) => Collection;

/**
 * The options of a reference by name. Every option of go-cloud's docstore is `allowed`, though most are about reading or
 * revisions and so have no effect here.
 * @throws ChainsError CONFIG_INVALID for an unknown one, and where the `required` one is missing
 */
export function optionsOf(
  { options, scheme }: CollectionReference,
  required: string | undefined,
  allowed: readonly string[],
): ReadonlyMap<string, string> {
  const invalid = (why: string) =>
    new ChainsError('CONFIG_INVALID', `storage.docdb.url: \`${scheme}://\` ${why}`);
  const known = [...(required === undefined ? [] : [required]), ...allowed];
  const unknown = [...options.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw invalid(`has no option \`${unknown}\`; it has ${known.map((name) => `\`${name}\``).join(', ')}`);
  if (required !== undefined && !options.get(required))
    throw invalid(`needs the option \`${required}\`, such as \`?${required}=name\``);
  return options;
}

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
  /** The JSON of a Sigstore bundle, where there is evidence of a log or timestamp. */
  readonly Bundle?: string;
  /** The payload as a document. */
  readonly Object: Json;
}

/** What of a document is verified; undefined for a field that is missing, or is not bytes or text. */
export interface ReadDocument {
  readonly Signed: Uint8Array | undefined;
  readonly Signature: string | undefined;
  readonly Cert: string | undefined;
  readonly Bundle: string | undefined;
}

/** The document of an entry. */
export function documentOf(entry: SignedArtifact): SignedDocument {
  const { artifact, payload, signature, transparency } = entry;
  return {
    Name: storageKeyOf(artifact),
    Signed: payload.bytes,
    Signature: Buffer.from(signature.bytes).toString('base64'),
    Cert: signature.certificate ?? '',
    Chain: signature.chain ?? '',
    ...(transparency === undefined ? {} : { Bundle: JSON.stringify(bundleOf(entry)) }),
    Object: parseJson(Buffer.from(payload.bytes).toString('utf8')),
  };
}

/** An object with the values of its members converted. */
export function mapMembers<T>(object: JsonObject, convert: (json: Json) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(object).map(([name, json]) => [name, convert(json ?? null)]));
}

/** What a document, or its absence, says of the place where it is looked for. */
export function placeOf(place: string, document: ReadDocument | undefined): StoredPlace {
  if (document === undefined) return { place, entries: [] };
  const { Signed: payload, Signature: text, Cert: certificate, Bundle: bundle } = document;
  if (payload === undefined) return { place, entries: [], flaw: 'its field Signed is missing' };
  if (text === undefined) return { place, entries: [], flaw: 'its field Signature is missing' };
  const signature = strictBase64(text);
  if (signature === undefined)
    return { place, entries: [], flaw: 'its field Signature is not padded standard base64' };
  const transparency = bundle === undefined ? undefined : evidenceInBundle(bundle);
  return { place, entries: [{ place, payload, signature, certificate, transparency }] };
}
