import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { stringify } from 'yaml';
import type { ChainsError } from '../../errors.ts';
import { defaultSystemNamespace } from '../../config/parse.ts';
import type { ConnectionOptions } from '../input/cluster.ts';
import { type KeyFile, keyTypes, type NewKey } from '../keygen/new-keys.ts';
import { createSecret, signingSecret } from '../keygen/signing-secret.ts';
import { wrap } from '../terminal/layout.ts';
import { showing } from '../terminal/progress.ts';
import { suggestion, usageError } from '../usage-error.ts';

/** The options of `chains keygen`, as parsed. */
export interface KeygenOptions extends ConnectionOptions {
  /** `ecdsa`, `ed25519`, `rsa`, `cosign` or `pgp`. */
  readonly type: string;
  /** The folder to write into, made when it is missing; the current one by default. */
  readonly out?: string;
  /** Print a Kubernetes Secret and write no file. */
  readonly secret?: boolean;
  /** With `secret`: create it in the cluster instead of printing it. */
  readonly apply?: boolean;
  /** Where the Secret belongs; `tekton-chains` by default. */
  readonly namespace?: string;
  /** The user id of a PGP key; `Tekton Chains` by default. */
  readonly name?: string;
}

/** Where a command writes. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * `chains keygen`: makes a signing key, as files in a folder, or, with `secret`, as the Secret `signing-secrets`: YAML on
 * stdout or, with `apply`, an object in the cluster. Existing files and Secrets are never overwritten, and private files are
 * readable for their owner alone. The Secret holds the public key too, so that its readers need not derive it. The password
 * of a cosign key is that in the environment's `COSIGN_PASSWORD`, else a new one.
 * @throws ChainsError USAGE for an unknown type, options that exclude each other, or an existing file or Secret; what
 * connecting throws
 */
export async function keygen(
  options: KeygenOptions,
  streams: Streams,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const generate = keyTypes.get(options.type);
  if (generate === undefined) throw unknownType(options.type);
  refuseCombinations(options);
  const { namespace = defaultSystemNamespace, name = 'Tekton Chains', secret, out = '.' } = options;
  const key = await generate({ name, environment });
  if (secret === true) await makeSecret(key, namespace, options, streams);
  else await makeFiles(key, namespace, out, streams);
}

function unknownType(type: string): ChainsError {
  return usageError(
    `--type ${JSON.stringify(type.slice(0, 40))} is not a type of key; use ${[...keyTypes.keys()].join(', ')}`,
    suggestion(type, keyTypes.keys()),
  );
}

function refuseCombinations({ type, out, secret, apply, kubeconfig, context, name }: KeygenOptions): void {
  const refuse = (message: string) => usageError(`keygen ${message}`);
  if (secret === true && out !== undefined) throw refuse('takes --out or --secret, not both');
  if (apply === true && secret !== true) throw refuse('takes --apply only together with --secret');
  if (apply !== true && (kubeconfig ?? context) !== undefined) {
    throw refuse('takes --kubeconfig and --context only together with --apply');
  }
  if (name !== undefined && type !== 'pgp') throw refuse('takes --name only for --type pgp');
}

async function makeSecret(
  { what, files }: NewKey,
  namespace: string,
  options: KeygenOptions,
  { stdout, stderr }: Streams,
): Promise<void> {
  const secret = signingSecret(namespace, files);
  const isApplied = options.apply === true;
  if (isApplied) await showing('waiting for the cluster', () => createSecret(secret, namespace, options));
  else stdout.write(stringify(secret, { lineWidth: 0 }));
  const where = isApplied ? ` created in the namespace ${namespace}` : '';
  const shown = files.find((file) => file.what === 'public key')?.name;
  (isApplied ? stdout : stderr).write(
    `${wrap('', `Secret signing-secrets${where} with a new ${what}.`, 2)}
${isApplied ? 'Its' : 'Once applied, its'} public key is shown by:
  kubectl get secret signing-secrets -n ${namespace} \\
    -o go-template='{{index .data "${shown}" | base64decode}}'
`,
  );
}

async function makeFiles(
  { what, files }: NewKey,
  namespace: string,
  folder: string,
  { stdout }: Streams,
): Promise<void> {
  await writeNewFiles(folder, files);
  for (const file of files) {
    const more = file.what === 'private key' ? `, a new ${what}` : '';
    stdout.write(`${wrap('', `${join(folder, file.name)}  ${file.what}${more}`, 2)}\n`);
  }
  const sources = files
    .filter((file) => file.what !== 'public key')
    .map(({ name }) => ` \\\n    --from-file=${shellWord(join(folder, name))}`);
  const command = `kubectl create secret generic signing-secrets -n ${namespace}${sources.join('')}`;
  stdout.write(`To sign with it:\n  ${command}\n`);
}

/**
 * Writes files into a folder, which is made for its owner alone when it is missing: all of them, or none when one exists or
 * can't be written.
 */
async function writeNewFiles(folder: string, files: readonly KeyFile[]): Promise<void> {
  const made: { readonly path: string; readonly handle: FileHandle; readonly text: string }[] = [];
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const { name, what, text } of files) {
      const path = join(folder, name);
      made.push({ path, text, handle: await open(path, 'wx', what === 'public key' ? 0o644 : 0o600) });
    }
    for (const { handle, text } of made) await handle.writeFile(text);
  } catch (cause) {
    for (const { path } of made) await rm(path, { force: true });
    throw unwritable(folder, cause);
  } finally {
    for (const { handle } of made) await handle.close();
  }
}

function unwritable(folder: string, cause: unknown): ChainsError {
  const { code, path = folder } = Object.assign({ code: undefined, path: undefined }, cause);
  const message =
    code === 'EEXIST'
      ? `${path} exists already, and keys are never overwritten; choose another folder with --out`
      : `cannot write keys into ${folder} (${code ?? String(cause)}); choose another folder with --out`;
  return usageError(message, { cause });
}

function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
