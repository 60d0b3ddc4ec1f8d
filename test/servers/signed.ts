import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type SignedExplanation, sign } from '../../src/index.ts';
import { preAuthEncoding } from '../../src/keys/dsse.ts';
import { doneStatus } from '../integration/world.ts';

/** What was signed, and the signature. */
export interface Signed {
  /** Kind and format: `taskrun in-toto`. */
  readonly name: string;
  /** For a statement what is signed inside the envelope: the pre-authentication encoding. */
  readonly message: Uint8Array;
  /** For a statement the one inside the envelope. */
  readonly signature: Uint8Array;
  /** What is stored of a statement: the envelope, and its predicate's type. */
  readonly attestation?: { readonly envelope: Uint8Array; readonly predicateType: string };
}

/** A signer's name in the ConfigMap. */
type SignerName = 'x509' | 'pgp' | 'kms';

/** The bytes that statements are about. */
export const blob = Buffer.from('what was built');

const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`;

const metadata = { namespace: 'default', uid: 'b2cf5c5b-0d4f-4a4f-8f0b-6f1f4e6b9c11' };
const results = [{ name: 'IMAGES', type: 'string', value: `registry.example.com/app@${digest}` }];
const taskRun = {
  apiVersion: 'tekton.dev/v1',
  kind: 'TaskRun',
  metadata: { ...metadata, name: 'build', labels: { 'tekton.dev/pipelineTask': 'build' } },
  status: {
    ...doneStatus,
    results,
    steps: [{ name: 'build', imageID: `registry.example.com/tool@${digest}` }],
  },
};
const pipelineRun = {
  apiVersion: 'tekton.dev/v1',
  kind: 'PipelineRun',
  metadata: { ...metadata, name: 'release' },
  status: { ...doneStatus, results, pipelineSpec: { tasks: [{ name: 'build' }] } },
};

const runFormats = ['tekton', 'in-toto', 'slsa/v1', 'slsa/v2alpha3', 'slsa/v2alpha4'];

/** The payloads of a TaskRun, a PipelineRun and an image in every format, signed with the keys in a folder. */
export async function signEachFormat(
  signingSecrets: string,
  signer: SignerName,
  settings: Readonly<Record<string, string>> = {},
): Promise<readonly Signed[]> {
  const each = runFormats.map(async (format) => {
    const image = format === 'tekton' ? 'tekton' : 'simplesigning';
    const config = {
      ...settings,
      ...Object.fromEntries(
        ['taskrun', 'pipelinerun', 'oci'].map((kind) => [`artifacts.${kind}.signer`, signer]),
      ),
      'artifacts.taskrun.format': format,
      'artifacts.pipelinerun.format': format,
      'artifacts.oci.format': image,
    };
    const explained = await Promise.all([
      sign({ run: taskRun, config, signingSecrets }),
      sign({ run: pipelineRun, taskRuns: [taskRun], config, signingSecrets }),
    ]);
    return explained.flatMap(({ artifacts }) => artifacts).map(signedOf);
  });
  return (await Promise.all(each)).flat();
}

function signedOf(artifact: SignedExplanation['artifacts'][number]): Signed {
  const { kind, format, payloadBytes, signature: stored, error } = artifact;
  if (payloadBytes === null || stored === null) throw new Error(error ?? `${kind} is not signed`);
  const name = `${kind} ${format}`;
  const [payload, bytes] = [Buffer.from(payloadBytes, 'base64'), Buffer.from(stored, 'base64')];
  if (kind === 'oci' || format === 'tekton') return { name, message: payload, signature: bytes };
  const { payloadType, signatures } = JSON.parse(bytes.toString());
  return {
    name,
    message: preAuthEncoding(payloadType, payload),
    signature: Buffer.from(signatures[0].sig, 'base64'),
    attestation: { envelope: bytes, predicateType: JSON.parse(payload.toString()).predicateType },
  };
}

/** A folder that is gone after the test; its name is short enough for the sockets of gpg's agent. */
export async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes message and signature into a folder; gives the two paths. */
export async function writeSigned(
  folder: string,
  { name, message, signature }: Signed,
): Promise<readonly [message: string, signature: string]> {
  const file = name.replace(/\W/g, '-');
  const paths = [join(folder, `${file}.payload`), join(folder, `${file}.signature`)] as const;
  await Promise.all([writeFile(paths[0], message), writeFile(paths[1], signature)]);
  return paths;
}

/** Runs a program to its end; gives its output, both streams. Rejects with both when it fails. */
export function say(
  program: string,
  parameters: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const environment = { ...process.env, ...options.env };
  execFile(program, parameters, { ...options, env: environment }, (error, stdout, stderr) => {
    if (error === null) resolve(stdout + stderr);
    else reject(new Error(`${program} ${parameters.join(' ')}: ${stdout}${stderr}`, { cause: error }));
  }).stdin?.end();
  return promise;
}
