import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ChainsError } from '../model/errors.ts';
import { keyIdOf } from '../sign/key-id.ts';

/** What the command `keygen` takes. */
export interface KeygenOptions {
  /** `ecdsa`, `ed25519` or `rsa`. */
  readonly type: string;
  /** The folder to write into, made when it is missing; the current one by default. */
  readonly out?: string;
  /** Print a Kubernetes Secret and write no file. */
  readonly secret?: boolean;
}

/** Where a command writes. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const types: Readonly<Record<string, { readonly name: string; readonly generate: () => KeyPair }>> = {
  ecdsa: { name: 'ECDSA P-256', generate: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
  ed25519: { name: 'Ed25519', generate: () => generateKeyPairSync('ed25519') },
  rsa: { name: 'RSA 3072', generate: () => generateKeyPairSync('rsa', { modulusLength: 3072 }) },
};

/**
 * Makes a signing key: `x509.pem` (PKCS#8, for its owner alone) and `x509.pub` (SPKI) in a folder, never over a file
 * that is there; or, with `secret`, the Secret `signing-secrets` as YAML on stdout for `kubectl apply -f -`. The
 * Secret holds the public key too, as `x509.pub`, so that whoever may read it need not derive it.
 * @throws ChainsError USAGE for a type or combination that there isn't, or where a file is in the way.
 */
export async function keygen(options: KeygenOptions, { stdout, stderr }: Streams): Promise<void> {
  const type = Object.hasOwn(types, options.type) ? types[options.type] : undefined;
  if (type === undefined) throw unknownType(options.type);
  if (options.secret === true && options.out !== undefined) {
    throw new ChainsError('USAGE', 'keygen takes --out or --secret, not both');
  }
  const { publicKey, privateKey } = type.generate();
  const files = {
    'x509.pem': privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    'x509.pub': publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
  const what = `${type.name} key ${keyIdOf(publicKey)}`;
  if (options.secret === true) {
    stdout.write(secretOf(files));
    stderr.write(`Secret signing-secrets with a new ${what}. Once applied, its public key is shown by:\n`);
    stderr.write(
      '  kubectl get secret signing-secrets -n tekton-chains -o go-template=\'{{index .data "x509.pub" | base64decode}}\'\n',
    );
    return;
  }
  const paths = await writeNew(options.out ?? '.', files);
  stdout.write(`${paths['x509.pem']}  private key, a new ${what}\n${paths['x509.pub']}  public key\n`);
  stdout.write('To sign with it:\n');
  stdout.write(
    `  kubectl create secret generic signing-secrets -n tekton-chains --from-file=${shellWord(paths['x509.pem'])}\n`,
  );
}

function unknownType(type: string): ChainsError {
  const later = type === 'cosign' || type === 'pgp';
  return new ChainsError(
    'USAGE',
    `--type ${JSON.stringify(type.slice(0, 40))} ${later ? 'comes with a later version' : 'is no type of key'}; use ${Object.keys(types).join(', ')}`,
  );
}

type KeyFiles = Readonly<Record<'x509.pem' | 'x509.pub', string>>;

function secretOf(files: KeyFiles): string {
  const base64 = Object.entries(files).map(
    ([name, text]) => [name, Buffer.from(text).toString('base64')] as const,
  );
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'signing-secrets', namespace: 'tekton-chains' },
      type: 'Opaque',
      data: Object.fromEntries(base64),
    },
    { lineWidth: 0 },
  );
}

async function writeNew(folder: string, files: KeyFiles): Promise<KeyFiles> {
  const paths = { 'x509.pem': join(folder, 'x509.pem'), 'x509.pub': join(folder, 'x509.pub') };
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await using pem = await open(paths['x509.pem'], 'wx', 0o600);
    await using pub = await openOrUndo(paths['x509.pub'], paths['x509.pem']);
    await pem.writeFile(files['x509.pem']);
    await pub.writeFile(files['x509.pub']);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  return paths;
}

/** The private key's file is made first, and must not stay behind empty when the public key's can't be made. */
async function openOrUndo(path: string, made: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o644);
  } catch (error) {
    await unlink(made);
    throw error;
  }
}

function unwritable(folder: string, cause: unknown): ChainsError {
  const { code, path = folder } = Object.assign({ code: undefined, path: undefined }, cause);
  const message =
    code === 'EEXIST'
      ? `${path} exists already, and keys are never overwritten; choose another folder with --out`
      : `cannot write keys into ${folder} (${code ?? String(cause)}); choose another folder with --out`;
  return new ChainsError('USAGE', message, { cause });
}

function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
