import { createHash, createPublicKey } from 'node:crypto';
import type { Config } from '../../config/keys.ts';
import { planFor } from '../../config/plan.ts';
import type { ArtifactKind } from '../../model/artifact.ts';
import { inTotoType } from '../../keys/dsse.ts';
import { type Json, type JsonObject, listAt, member, objectIn, parseJson } from '../../json.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import { unsupported } from '../failures.ts';
import { buildOccurrence, subjectUris } from './statement.ts';

/** What is to be written for one artifact, in the JSON of Container Analysis v1. */
export interface Entries {
  readonly entry: SignedArtifact;
  readonly noteId: string;
  /** The note to create where there is none yet. */
  readonly note: JsonObject;
  /** One for each URI of the artifact. */
  readonly resourceUris: readonly string[];
  /** Each occurrence, except for its `resourceUri` and `noteName`. */
  readonly occurrence: OccurrenceBody;
}

interface OccurrenceBody extends JsonObject {
  readonly envelope: {
    /** Base64. */
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string; readonly keyid: string }[];
  };
}

/** The payload type of an image's signature, as cosign names it. */
const simpleSigningType = 'application/vnd.dev.cosign.simplesigning.v1+json';

/**
 * The note and the occurrences for one artifact.
 * @throws ChainsError CONFIG_INVALID for a payload that is neither `simplesigning` nor an in-toto statement
 */
export function entriesFor(entry: SignedArtifact, config: Config): Entries {
  return entry.artifact.kind === 'oci' ? attestation(entry, config) : build(entry, config);
}

function attestation(entry: SignedArtifact, config: Config): Entries {
  const { artifact, payload, signature } = entry;
  if (payload.format !== 'simplesigning') throw unsupported('grafeas', artifact, payload, 'simplesigning');
  const publicKeyId = keyIdOf(entry, config);
  return {
    entry,
    noteId: noteIdOf('oci', artifact.run.namespace, config),
    note: {
      shortDescription: 'Signatures of images',
      attestation: { hint: { humanReadableName: config['storage.grafeas.notehint'] } },
    },
    resourceUris: [artifact.fullKey],
    occurrence: {
      attestation: {
        serializedPayload: base64(payload.bytes),
        signatures: [{ signature: base64(signature.bytes), publicKeyId }],
      },
      envelope: {
        payload: base64(payload.bytes),
        payloadType: simpleSigningType,
        signatures: [{ sig: base64(signature.bytes), keyid: publicKeyId }],
      },
    },
  };
}

function build(entry: SignedArtifact, config: Config): Entries {
  const { artifact, payload, signature } = entry;
  const { apiVersion, kind, namespace } = artifact.run;
  const statement = payload.dsseType === inTotoType ? objectIn(json(payload.bytes)) : {};
  const details = buildOccurrence(statement);
  if (details === undefined) throw unsupported('grafeas', artifact, payload, 'in-toto');
  return {
    entry,
    noteId: noteIdOf(artifact.kind, namespace, config),
    note: {
      shortDescription: `Provenance of ${kind}s`,
      build: { builderVersion: `${apiVersion}/${kind}` },
    },
    resourceUris: subjectUris(statement),
    occurrence: {
      build: details,
      envelope: {
        payload: base64(payload.bytes),
        payloadType: inTotoType,
        signatures: signaturesIn(json(signature.bytes)),
      },
    },
  };
}

/** The id of the note for artifacts of this kind; unless the configuration names one, each namespace has its own. */
export function noteIdOf(kind: ArtifactKind, namespace: string, config: Config): string {
  const prefix = config['storage.grafeas.noteid'] ?? `tekton-${namespace}`;
  return kind === 'oci' ? `${prefix}-simplesigning` : `${prefix}-${kind}-intoto`;
}

/** The URI by which verifiers find the key: the KMS's name for it, or else, as the API advises, its digest (RFC 6920) or fingerprint. */
function keyIdOf({ artifact, signature }: SignedArtifact, config: Config): string {
  const { publicKey, keyId } = signature.key;
  const reference = config['signers.kms.kmsref'];
  if (planFor(config, artifact.kind).signer === 'kms' && reference !== undefined) return reference.text;
  if (publicKey.includes('BEGIN PGP')) return `openpgp4fpr:${keyId.replace(/^0x/i, '').toUpperCase()}`;
  const der = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  return `ni:///sha-256;${createHash('sha256').update(der).digest('base64url')}`;
}

/** The signatures of an envelope, as Container Analysis and DSSE both write them. */
export function signaturesIn(envelope: Json | undefined): OccurrenceBody['envelope']['signatures'] {
  return listAt(envelope, 'signatures').map((one) => ({
    sig: String(member(one, 'sig')),
    keyid: String(member(one, 'keyid')),
  }));
}

function json(bytes: Uint8Array): Json {
  return parseJson(Buffer.from(bytes).toString('utf8'));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
