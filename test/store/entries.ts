import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { parseConfig } from '../../src/config/parse.ts';
import type { FormatName } from '../../src/config/keys.ts';
import type { ArtifactKind } from '../../src/model/artifact.ts';
import { type Envelope, preAuthEncoding } from '../../src/keys/dsse.ts';
import type { JsonObject } from '../../src/json.ts';
import { parseRun } from '../../src/model/run.ts';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { digest } from '../runs.ts';
import { keyPairs, pkcs8, secretsWith } from '../sign/keys.ts';

/** What to make and sign. */
export interface Wanted {
  readonly kind: ArtifactKind;
  readonly format: FormatName;
  /** A kind of {@link keyPairs}; one key of each kind signs everything of this process. */
  readonly key?: string;
  /** How long a parameter of the run is, so that its payload is longer. In bytes. */
  readonly padding?: number;
  readonly namespace?: string;
  /** `IMAGES` of the run; one image unless given. */
  readonly images?: readonly string[];
}

/** The image that runs here have built, unless told otherwise. */
export const image = `gcr.io/acme/app@${digest('a')}`;

const privateKeys = new Map<string, KeyObject>();

function privateKey(kind: string): KeyObject {
  const made = privateKeys.get(kind) ?? keyPairs[kind]?.().privateKey ?? assert.fail(kind);
  privateKeys.set(kind, made);
  return made;
}

/** An artifact of a run, with its payload in this format, signed by the real pipeline. */
export async function signedArtifact(wanted: Wanted): Promise<SignedArtifact> {
  const { kind, format, key = 'Ed25519', padding = 0 } = wanted;
  const { config } = parseConfig({ [`artifacts.${kind}.format`]: format });
  const pipeline = openPipeline({ config, secrets: secretsWith({ 'x509.pem': pkcs8(privateKey(key)) }) });
  const { drafts } = await pipeline.draft(parseRun(runOf(wanted)), []);
  const draft = drafts.find(({ artifact }) => artifact.kind === kind) ?? assert.fail(kind);
  const entry = await pipeline.signDraft(draft);
  if ('error' in entry) throw entry.error;
  assert.ok(entry.payload.bytes.length > padding);
  return entry;
}

function runOf({ kind, padding = 0, namespace = 'ci', images = [image] }: Wanted): JsonObject {
  const results = [{ name: 'IMAGES', value: images.join() }];
  const params = [{ name: 'padding', value: 'x'.repeat(padding) }];
  const common = {
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:01:00Z',
    conditions: [{ type: 'Succeeded', status: 'True' }],
    ...(padding === 0 ? {} : { annotations: { padding: 'x'.repeat(padding) } }),
  };
  const pipelineRun = kind === 'pipelinerun';
  return {
    apiVersion: 'tekton.dev/v1',
    kind: pipelineRun ? 'PipelineRun' : 'TaskRun',
    metadata: { namespace, name: 'build', uid: 'uid-1' },
    spec: { params },
    status: pipelineRun
      ? { ...common, pipelineSpec: { tasks: [] }, results }
      : { ...common, taskSpec: { steps: [] }, results },
  };
}

/** Every kind of artifact in each of its formats. */
export const combinations: readonly Pick<Wanted, 'kind' | 'format'>[] = [
  ...(['taskrun', 'pipelinerun'] as const).flatMap((kind) =>
    (['tekton', 'in-toto', 'slsa/v1', 'slsa/v2alpha3', 'slsa/v2alpha4'] as const).map((format) => ({
      kind,
      format,
    })),
  ),
  { kind: 'oci', format: 'tekton' },
  { kind: 'oci', format: 'simplesigning' },
];

/** Fails unless what was read back verifies under the entry's key: a DSSE envelope by itself, another signature with its payload. */
export function assertVerifies(
  { payload, signature }: SignedArtifact,
  readSignature: Uint8Array,
  readPayload?: Uint8Array,
): void {
  const key = createPublicKey(signature.key.publicKey);
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  if (payload.dsseType === undefined) {
    assert.deepEqual(Buffer.from(readPayload ?? []), Buffer.from(payload.bytes));
    assert.ok(verify(algorithm, readPayload ?? assert.fail('no payload'), key, readSignature));
    return;
  }
  const envelope = JSON.parse(Buffer.from(readSignature).toString('utf8')) as Envelope;
  const content = Buffer.from(envelope.payload, 'base64');
  assert.deepEqual(content, Buffer.from(payload.bytes));
  const [first] = envelope.signatures;
  const signed = preAuthEncoding(envelope.payloadType, content);
  assert.ok(verify(algorithm, signed, key, Buffer.from(first?.sig ?? '', 'base64')));
}
