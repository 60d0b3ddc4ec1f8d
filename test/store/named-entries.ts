import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { parseConfig } from '../../src/config/parse.ts';
import { type Envelope, preAuthEncoding } from '../../src/keys/dsse.ts';
import type { Json } from '../../src/json.ts';
import type { Run } from '../../src/model/run.ts';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { digest, pipelineRun, taskRun } from '../runs.ts';
import { pkcs8, secretsWith } from '../sign/keys.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
/** PEM of the key that signs every entry here. */
export const publicPem: string = publicKey.export({ format: 'pem', type: 'spki' }).toString();
const secrets = secretsWith({ 'x509.pem': pkcs8(privateKey) });

/** What an entry is made of beside kind and format. */
export interface EntryOptions {
  /** The run's name, so that each test has its own. */
  readonly name: string;
  /** Stands in the run's status, to make a payload differ or large. */
  readonly text?: string;
}

/** An artifact with a real signature, made by the pipeline itself. */
export async function signedEntry(
  kind: SignedArtifact['artifact']['kind'],
  format: string,
  { name, text = '' }: EntryOptions,
): Promise<SignedArtifact> {
  const { config } = parseConfig({ [`artifacts.${kind}.format`]: format });
  const pipeline = openPipeline({ config, secrets });
  const run = runFor(kind, name, text);
  const { drafts } = await pipeline.draft(run);
  const draft = drafts.find(({ artifact }) => artifact.kind === kind);
  assert.ok(draft, `no ${kind} in the run`);
  const entry = await pipeline.signDraft(draft);
  assert.ok('signature' in entry, JSON.stringify(entry));
  return entry;
}

function runFor(kind: string, name: string, text: string): Run {
  const condition = { type: 'Succeeded', status: 'True', reason: 'Succeeded' };
  const results = [
    { name: 'IMAGES', type: 'string', value: `gcr.io/acme/${name}@${digest('a')}` },
    { name: 'text', type: 'string', value: text },
  ];
  const times = { startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:01:00Z' };
  const metadata = { name, uid: `uid-${name}` };
  const status = (field: string): Json => ({ conditions: [condition], ...times, [field]: results });
  return kind === 'pipelinerun'
    ? pipelineRun(status('results'), metadata)
    : taskRun(status('results'), metadata);
}

/** Checks with node's own cryptography that the bytes that a store gave back are the payload and its signature. */
export function assertSigned(
  payload: Uint8Array | undefined,
  signature: Uint8Array | undefined,
  isDsse: boolean,
): void {
  assert.ok(payload !== undefined && signature !== undefined, 'payload or signature is missing');
  if (!isDsse) return assert.ok(verify(null, payload, publicKey, signature));
  const envelope = JSON.parse(Buffer.from(signature).toString('utf8')) as Envelope;
  assert.deepEqual(Buffer.from(envelope.payload, 'base64'), Buffer.from(payload));
  const message = preAuthEncoding(envelope.payloadType, payload);
  assert.ok(verify(null, message, publicKey, Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64')));
}
