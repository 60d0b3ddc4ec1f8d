import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { sign } from '../../src/index.ts';
import { inTotoType, preAuthEncoding } from '../../src/model/dsse.ts';
import { signers, signPayload } from '../../src/sign/index.ts';
import { readSecrets } from '../../src/sign/secrets.ts';
import { doneStatus } from '../integration/world.ts';

/** What was signed, and the signature. */
export interface Signed {
  readonly format: 'tekton' | 'simplesigning' | 'in-toto';
  /** For `in-toto` what is signed inside the envelope: the pre-authentication encoding. */
  readonly message: Uint8Array;
  /** For `in-toto` the one inside the envelope. */
  readonly signature: Uint8Array;
  /** What is stored, where that is an envelope. */
  readonly envelope?: Uint8Array;
}

/** A signer's name in the ConfigMap. */
type SignerName = 'x509' | 'pgp';

const results = [
  { name: 'IMAGE_URL', type: 'string', value: 'registry.example.com/app' },
  { name: 'IMAGE_DIGEST', type: 'string', value: `sha256:${'a'.repeat(64)}` },
];
const run = {
  apiVersion: 'tekton.dev/v1',
  kind: 'TaskRun',
  metadata: { name: 'build', namespace: 'default', uid: 'b2cf5c5b-0d4f-4a4f-8f0b-6f1f4e6b9c11' },
  status: { ...doneStatus, results },
};

/** The bytes that the in-toto statement is about. */
export const blob = Buffer.from('what was built');

/** The predicate type of the in-toto statement. */
export const predicateType = 'https://example.com/predicate';

const statement = Buffer.from(
  JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'blob', digest: { sha256: createHash('sha256').update(blob).digest('hex') } }],
    predicateType,
    predicate: {},
  }),
);

/** A payload of each format, signed with the keys in a folder. */
export async function signEachFormat(signingSecrets: string, name: SignerName): Promise<readonly Signed[]> {
  const config = { 'artifacts.taskrun.signer': name, 'artifacts.oci.signer': name };
  const { artifacts } = await sign({ run, config, signingSecrets });
  const plain = artifacts.map(({ kind, payloadBytes, signature, error }): Signed => {
    if (payloadBytes === null || signature === null) throw new Error(error ?? `${kind} is not signed`);
    return {
      format: kind === 'oci' ? 'simplesigning' : 'tekton',
      message: Buffer.from(payloadBytes, 'base64'),
      signature: Buffer.from(signature, 'base64'),
    };
  });
  return [...plain, await signStatement(signingSecrets, name)];
}

async function signStatement(folder: string, name: SignerName): Promise<Signed> {
  const signer = await (await signers[name]())(parseConfig({}).config, await readSecrets(folder));
  const payload = { bytes: statement, format: 'in-toto', dsseType: inTotoType };
  const { bytes: envelope } = await signPayload(signer, payload);
  const { signatures } = JSON.parse(Buffer.from(envelope).toString());
  const signature = Buffer.from(signatures[0].sig, 'base64');
  return { format: 'in-toto', message: preAuthEncoding(inTotoType, statement), signature, envelope };
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
  { format, message, signature }: Signed,
): Promise<readonly [message: string, signature: string]> {
  const paths = [join(folder, `${format}.payload`), join(folder, `${format}.signature`)] as const;
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
