import process from 'node:process';
import { stringify } from 'yaml';
import { ChainsError } from '../../errors.ts';
import { nearMiss } from '../terminal/near-miss.ts';
import { writeNewFiles } from '../keygen/new-files.ts';
import { keyTypes, type NewKey } from '../keygen/new-keys.ts';
import { showing } from '../terminal/progress.ts';
import { createSecret, signingSecret } from '../keygen/signing-secret.ts';
import { wrap } from '../terminal/wrap.ts';

/** What the command `keygen` takes. */
export interface KeygenOptions {
  /** `ecdsa`, `ed25519`, `rsa`, `cosign` or `pgp`. */
  readonly type: string;
  /** The folder to write into, made when it is missing; the current one by default. */
  readonly out?: string;
  /** Print a Kubernetes Secret and write no file. */
  readonly secret?: boolean;
  /** With `secret`: create it in the cluster instead of printing it. */
  readonly apply?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
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
 * Makes a signing key with all that belongs to it: as files in a folder, private ones for their owner alone, never over
 * one that is there; or, with `secret`, as the Secret `signing-secrets`, as YAML on stdout for `kubectl apply -f -` or,
 * with `apply`, created in the cluster. The Secret holds the public key too, so that its readers need not derive
 * it. The password of a cosign key is that in the environment's `COSIGN_PASSWORD`, else a new one.
 * @throws ChainsError USAGE for a type or combination that there isn't, or where a file or Secret is in the way; what
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
  const { namespace = 'tekton-chains', name = 'Tekton Chains' } = options;
  const key = await generate({ name, environment });
  if (options.secret === true) await handOver(key, { ...options, namespace }, streams);
  else await write(key, { ...options, namespace }, streams);
}

function refuseCombinations({ type, out, secret, apply, kubeconfig, context, name }: KeygenOptions): void {
  const usage = (message: string) => new ChainsError('USAGE', `keygen ${message}`);
  if (secret === true && out !== undefined) throw usage('takes --out or --secret, not both');
  if (apply === true && secret !== true) throw usage('takes --apply only together with --secret');
  if (apply !== true && (kubeconfig ?? context) !== undefined) {
    throw usage('takes --kubeconfig and --context only together with --apply');
  }
  if (name !== undefined && type !== 'pgp') throw usage('takes --name only for --type pgp');
}

interface Placed extends KeygenOptions {
  readonly namespace: string;
}

async function handOver(
  { what, files }: NewKey,
  options: Placed,
  { stdout, stderr }: Streams,
): Promise<void> {
  const { apply, namespace } = options;
  const secret = signingSecret(namespace, files);
  if (apply === true) {
    await showing('waiting for the cluster', () => createSecret(secret, options));
    stdout.write(
      `${wrap('', `Secret signing-secrets created in the namespace ${namespace} with a new ${what}.`, 2)}\n`,
    );
  } else {
    stdout.write(stringify(secret, { lineWidth: 0 }));
    stderr.write(`${wrap('', `Secret signing-secrets with a new ${what}.`, 2)}\n`);
  }
  const shown = files.find(({ isPrivate }) => !isPrivate)?.name;
  const out = apply === true ? stdout : stderr;
  out.write(`${apply === true ? 'Its' : 'Once applied, its'} public key is shown by:\n`);
  out.write(
    `  kubectl get secret signing-secrets -n ${namespace} \\\n    -o go-template='{{index .data "${shown}" | base64decode}}'\n`,
  );
}

async function write({ what, files }: NewKey, options: Placed, { stdout }: Streams): Promise<void> {
  const paths = await writeNewFiles(options.out ?? '.', files);
  for (const file of files) {
    const more = file.what === 'private key' ? `, a new ${what}` : '';
    stdout.write(`${wrap('', `${paths.get(file.name)}  ${file.what}${more}`, 2)}\n`);
  }
  const needed = files.filter(({ isPrivate }) => isPrivate);
  const parts = needed.map((file) => `--from-file=${shellWord(paths.get(file.name) ?? '')}`);
  stdout.write('To sign with it:\n');
  const command = `  kubectl create secret generic signing-secrets -n ${options.namespace}`;
  stdout.write(`${[command, ...parts].join(' \\\n    ')}\n`);
}

function unknownType(type: string): ChainsError {
  return new ChainsError(
    'USAGE',
    `--type ${JSON.stringify(type.slice(0, 40))} is not a type of key; use ${[...keyTypes.keys()].join(', ')}`,
    nearMiss(type, keyTypes.keys()),
  );
}

function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
