import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../errors.ts';
import type { ReadDocument, SignedDocument } from './document.ts';

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
