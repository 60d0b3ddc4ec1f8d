import { X509Certificate } from 'node:crypto';
import { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import type { TransparencyLogEntry as CompleteEntry } from '@sigstore/bundle';
import { at, type Json, type JsonObject, listAt, parseBounded, textIn } from '../json.ts';
import { pemBlock } from '../keys/pem.ts';
import type { HashName } from '../model/signature.ts';
import type { SignedContent } from './content.ts';

/** A log entry with everything that is needed to verify it. */
export type LogEntry = CompleteEntry;

/** Reads an entry in protobuf's JSON. @throws Error if a part is missing or can't be read */
export function readLogEntry(json: Json): LogEntry {
  const entry = TransparencyLogEntry.fromJSON(json);
  const { logId, kindVersion, inclusionProof } = entry;
  const checkpoint = inclusionProof?.checkpoint;
  if (logId === undefined || kindVersion === undefined || entry.canonicalizedBody.length === 0)
    throw new Error('the log entry has no log id, kind or body');
  if (inclusionProof !== undefined && checkpoint === undefined)
    throw new Error('the inclusion proof has no checkpoint');
  return {
    ...entry,
    logId,
    kindVersion,
    inclusionProof: inclusionProof && checkpoint && { ...inclusionProof, checkpoint },
  };
}

/** An entry in protobuf's JSON, without unknown fields. */
export function logEntryJson(json: Json): JsonObject {
  const entry = TransparencyLogEntry.fromJSON(json);
  // Protobuf's serializer returns JSON.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const written = TransparencyLogEntry.toJSON(entry) as JsonObject;
  // The serializer leaves out zeroes, and with them the first entry's index.
  return { ...written, logIndex: entry.logIndex, integratedTime: entry.integratedTime };
}

/** What a log holds of a signature. */
interface Logged {
  readonly algorithm: HashName;
  /** What the digest is of: the payload in an envelope, or what was signed. */
  readonly of: 'payload' | 'signed';
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
  /** DER. */
  readonly verifier: Uint8Array;
}

/** Why an entry is not of this signature, in words that follow "the log entry"; undefined if it is. */
export function entryFault(entry: LogEntry, content: SignedContent): string | undefined {
  const { kind, version } = entry.kindVersion;
  const read = kinds[`${kind} ${version}`];
  if (read === undefined) return `is of the kind ${kind} ${version}, which is not known`;
  const body = parseBounded(entry.canonicalizedBody.toString('utf8'));
  if (at(body, 'kind') !== kind || at(body, 'apiVersion') !== version)
    return 'is of another kind than its body';
  const logged = read(body);
  const digest = logged.of === 'payload' ? content.payloadDigest : content.signedDigest;
  const expected = digest?.(logged.algorithm);
  if (expected === undefined || !same(logged.digest, expected)) return 'is of another payload';
  if (!same(logged.signature, content.signature)) return 'is of another signature';
  return same(logged.verifier, content.verifier) ? undefined : 'is of another key or certificate';
}

/** How the body of each kind and version is read. */
const kinds: Readonly<Record<string, (body: Json) => Logged>> = {
  'dsse 0.0.1': (body) => {
    const [signature] = only(listAt(body, 'spec', 'signatures'));
    return {
      of: 'payload',
      ...hexDigest(at(body, 'spec', 'payloadHash')),
      signature: base64(at(signature, 'signature')),
      verifier: pemDer(at(signature, 'verifier')),
    };
  },
  'intoto 0.0.2': (body) => {
    const content = at(body, 'spec', 'content');
    const [signature] = only(listAt(content, 'envelope', 'signatures'));
    return {
      of: 'payload',
      ...hexDigest(at(content, 'payloadHash')),
      // The signature is base64-encoded twice.
      signature: base64(base64(at(signature, 'sig')).toString('latin1')),
      verifier: pemDer(at(signature, 'publicKey')),
    };
  },
  'hashedrekord 0.0.1': (body) => ({
    of: 'signed',
    ...hexDigest(at(body, 'spec', 'data', 'hash')),
    signature: base64(at(body, 'spec', 'signature', 'content')),
    verifier: pemDer(at(body, 'spec', 'signature', 'publicKey', 'content')),
  }),
  'hashedrekord 0.0.2': (body) => {
    const spec = at(body, 'spec', 'hashedRekordV002');
    return {
      of: 'signed',
      ...namedDigest(at(spec, 'data')),
      signature: base64(at(spec, 'signature', 'content')),
      verifier: verifierIn(at(spec, 'signature', 'verifier')),
    };
  },
  'dsse 0.0.2': (body) => {
    const spec = at(body, 'spec', 'dsseV002');
    const [signature] = only(listAt(spec, 'signatures'));
    return {
      of: 'payload',
      ...namedDigest(at(spec, 'payloadHash')),
      signature: base64(at(signature, 'content')),
      verifier: verifierIn(at(signature, 'verifier')),
    };
  },
};

/** An entry of several signatures proves nothing about any one of them. */
function only(list: readonly Json[]): readonly Json[] {
  return list.length === 1 ? list : [];
}

function hexDigest(hash: Json | undefined): Pick<Logged, 'algorithm' | 'digest'> {
  return {
    algorithm: hashNamed(textIn(at(hash, 'algorithm'))),
    digest: Buffer.from(textIn(at(hash, 'value')), 'hex'),
  };
}

function namedDigest(hash: Json | undefined): Pick<Logged, 'algorithm' | 'digest'> {
  return {
    algorithm: hashNamed(textIn(at(hash, 'algorithm')).replace('SHA2_', 'sha')),
    digest: base64(at(hash, 'digest')),
  };
}

function hashNamed(name: string): HashName {
  return name === 'sha384' || name === 'sha512' ? name : 'sha256';
}

function verifierIn(verifier: Json | undefined): Uint8Array {
  return base64(at(verifier, 'x509Certificate', 'rawBytes') ?? at(verifier, 'publicKey', 'rawBytes'));
}

/** Base64 of PEM. */
function pemDer(value: Json | undefined): Uint8Array {
  const pem = base64(value).toString('latin1');
  if (pem.includes('BEGIN CERTIFICATE')) return new X509Certificate(pem).raw;
  return pemBlock(pem, 'PUBLIC KEY') ?? new Uint8Array();
}

function base64(value: Json | undefined): Buffer {
  return Buffer.from(textIn(value), 'base64');
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
