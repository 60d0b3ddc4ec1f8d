import { createHash } from 'node:crypto';
import type { Service } from '../http/service.ts';
import { at, isJsonObject, type Json, type JsonObject, listAt, parseBounded, textIn } from '../json.ts';
import { base64 } from '../keys/pem.ts';
import type { SignedArtifact } from '../model/signature.ts';
import { logEntryJson } from '../sigstore/log-entry.ts';
import type { SignedContent } from '../sigstore/content.ts';
import { failures, type Upload } from './service.ts';

/** Uploads a signature to a log of Rekor v1; an entry that exists already is read. @throws ChainsError WITNESS_… */
export async function uploadToV1({ service, url, signed, content }: Upload): Promise<JsonObject> {
  const what = `upload ${signed.artifact.fullKey} to ${url}`;
  const path = '/api/v1/log/entries';
  const answer = await service.call({
    what,
    method: 'POST',
    url: `${url}${path}`,
    body: JSON.stringify(proposal(signed, content)),
    expects: [409],
  });
  if (answer.status !== 409) return entryIn(what, answer.body);
  const location = textIn([answer.headers['location']].flat()[0]);
  const [uuid] = /[0-9a-f]{64,80}$/.exec(location) ?? [];
  if (uuid === undefined) throw failures.unreadable(what, 'no location of the existing entry');
  return readFromV1(service, `${url}${path}/${uuid}`);
}

/** Reads one entry of a log of Rekor v1. @param url the entry's address @throws ChainsError WITNESS_… */
export async function readFromV1(service: Service, url: string): Promise<JsonObject> {
  const what = `read ${url}`;
  return entryIn(what, (await service.call({ what, method: 'GET', url })).body);
}

/** The entry to propose: kind `dsse` for envelopes, `hashedrekord` for bare signatures. */
function proposal({ payload, signature }: SignedArtifact, content: SignedContent): JsonObject {
  const verifier = base64(Buffer.from(signature.certificate ?? signature.key.publicKey));
  const apiVersion = '0.0.1';
  if (payload.dsseType !== undefined) {
    const envelope = Buffer.from(signature.bytes).toString('utf8');
    return { apiVersion, kind: 'dsse', spec: { proposedContent: { envelope, verifiers: [verifier] } } };
  }
  const algorithm = signature.key.algorithm?.digest ?? 'sha256';
  const value = createHash(algorithm).update(payload.bytes).digest('hex');
  const spec = {
    data: { hash: { algorithm, value } },
    signature: {
      content: base64(content.signature),
      publicKey: { content: verifier },
    },
  };
  return { apiVersion, kind: 'hashedrekord', spec };
}

/** The one entry of an answer, in protobuf's JSON. */
function entryIn(what: string, body: Json | undefined): JsonObject {
  const [entry] = isJsonObject(body) ? Object.values(body) : [];
  try {
    if (entry === undefined) throw new Error('it is empty');
    return converted(entry);
  } catch {
    throw failures.unreadable(what, 'no log entry that can be read');
  }
}

function converted(entry: Json): JsonObject {
  const body = textIn(at(entry, 'body'));
  const read = parseBounded(Buffer.from(body, 'base64').toString('utf8'));
  const proof = at(entry, 'verification', 'inclusionProof');
  const promise = at(entry, 'verification', 'signedEntryTimestamp');
  return logEntryJson({
    logIndex: whole(at(entry, 'logIndex')),
    logId: { keyId: fromHex(at(entry, 'logID')) },
    kindVersion: { kind: textIn(at(read, 'kind')), version: textIn(at(read, 'apiVersion')) },
    integratedTime: whole(at(entry, 'integratedTime')),
    ...(promise === undefined ? {} : { inclusionPromise: { signedEntryTimestamp: promise } }),
    ...(proof === undefined ? {} : { inclusionProof: convertedProof(proof) }),
    canonicalizedBody: body,
  });
}

function convertedProof(proof: Json): JsonObject {
  return {
    logIndex: whole(at(proof, 'logIndex')),
    rootHash: fromHex(at(proof, 'rootHash')),
    treeSize: whole(at(proof, 'treeSize')),
    hashes: listAt(proof, 'hashes').map(fromHex),
    checkpoint: { envelope: textIn(at(proof, 'checkpoint')) },
  };
}

function whole(value: Json | undefined): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return String(value);
  throw new Error('a number is missing');
}

function fromHex(value: Json | undefined): string {
  return Buffer.from(textIn(value), 'hex').toString('base64');
}
