import type { FormatName } from '../config/keys.ts';
import { inTotoType } from '../keys/dsse.ts';
import { ChainsError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Payload } from '../model/signature.ts';
import { map, text } from '../tekton/shape.ts';

/** What a statement is about (in-toto, "Subject"): an artifact by its name and its digests. */
export interface Subject {
  readonly name: string;
  readonly digest: Json;
}

/** An in-toto statement: that the predicate holds for the subjects. Members that are undefined are not written. */
export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v0.1' | 'https://in-toto.io/Statement/v1';
  readonly subject: readonly Subject[] | undefined;
  readonly predicateType:
    | 'https://slsa.dev/provenance/v0.2'
    | 'https://slsa.dev/provenance/v1'
    | 'https://sigstore.dev/cosign/sign/v1';
  readonly predicate: object;
}

/** Something that went into or came out of a build (in-toto, "ResourceDescriptor"). Members that are undefined are not written. */
export interface ResourceDescriptor {
  readonly name: string | undefined;
  readonly uri?: string | undefined;
  readonly digest?: Json | undefined;
  /** Standard base64. */
  readonly content?: string | undefined;
  readonly mediaType?: string;
}

/** The payload that holds a statement. @throws ChainsError RUN_UNREADABLE when it can't be written. */
export function statementPayload(make: () => Statement, format: FormatName): Payload {
  return { bytes: jsonBytes(make, 'the run'), format, dsseType: inTotoType };
}

/** A value as compact JSON in UTF-8. @param of what the value is made of, for messages. @throws ChainsError RUN_UNREADABLE */
export function jsonBytes(make: () => object, of: string): Uint8Array {
  try {
    return Buffer.from(JSON.stringify(make()), 'utf8');
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message = `${of} nests too deeply, or is too long, to be written as JSON`;
    throw new ChainsError('RUN_UNREADABLE', message, { cause });
  }
}

/** A map of texts as it is written; undefined, which is not written, where it is empty. */
export function textsOrAbsent(texts: ReadonlyMap<string, string> | undefined): Json | undefined {
  return texts === undefined || texts.size === 0 ? undefined : map(text).encode(texts);
}

/** The list; undefined, which is not written, where it is empty. */
export function listOrAbsent<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}

/** The text; undefined, which is not written, where it is empty. */
export function textOrAbsent(given: string | undefined): string | undefined {
  return given === '' ? undefined : given;
}
