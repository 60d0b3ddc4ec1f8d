import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { TextDecoder } from 'node:util';
import { ChainsError } from '../errors.ts';
import { opennessOf } from './secret-permissions.ts';

/** The files that signers read (behaviour.md, "Signers"). Nothing else in the folder is looked at. */
const keyNames = ['x509.pem', 'cosign.key', 'cosign.password', 'pgp.private-key', 'pgp.passphrase'] as const;
/** The files that say whom to trust; anyone may read them. */
const trustNames = ['trusted_root.json', 'tuf-root.json'] as const;
const names = [...keyNames, ...trustNames] as const;

/** The name of a file of the Secret `signing-secrets`. */
export type SecretName = (typeof names)[number];

/** Larger than any key, and than any trusted root; keeps a wrong file from being read whole. In bytes. */
const [longestKey, longestRoot] = [64 * 1024, 256 * 1024];

function isKeyName(name: SecretName): boolean {
  return keyNames.some((one) => one === name);
}

/** One consistent reading of the folder in which the Secret `signing-secrets` is mounted. */
export interface Secrets {
  readonly folder: string;
  /** The contents of the files that are there, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Why a file that is there could not be read, by name. */
  readonly unreadable?: ReadonlyMap<string, string>;
  /** Why the folder as a whole could not be read. */
  readonly missing?: string;
  /** What is too open about the permissions, a line each with what to do about it. */
  readonly warnings?: readonly string[];
}

/**
 * Reads the folder. Never rejects: what can't be read is in `unreadable` or `missing`, for the signer that needs it.
 * Kubelet's layout (`..data`, a symbolic link that is swapped as a whole) is read from one version.
 */
export async function readSecrets(folder: string): Promise<Secrets> {
  for (let attempt = 0; ; attempt++) {
    const before = await currentVersion(folder);
    const secrets = await readVersion(folder, before);
    if ((await currentVersion(folder)) === before || attempt === 99) return secrets;
    wipe(secrets);
  }
}

/**
 * Looks at the folder every `every` milliseconds until aborted, and calls back when something differs from what is
 * `known`; without `known` the first reading is a change. Reading the few small files again is cheaper than being
 * wrong about modification times, and, unlike watching, works on every file system and while the folder is missing.
 */
export async function followSecrets(
  folder: string,
  onChange: (secrets: Secrets) => void,
  signal: AbortSignal,
  { known, every = 2_000 }: { readonly known?: Secrets; readonly every?: number } = {},
): Promise<void> {
  let last = known;
  while (!signal.aborted) {
    const now = await readSecrets(folder);
    if (!signal.aborted && (last === undefined || !same(last, now))) {
      last = now;
      onChange(now);
    } else wipe(now);
    await wait(every, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/**
 * The content of one file, undefined when it isn't there.
 * @throws ChainsError KEY_INVALID when it is there and can't be read.
 */
export function secretFile(secrets: Secrets, name: SecretName): Uint8Array | undefined {
  const why = secrets.unreadable?.get(name);
  if (why !== undefined) throw new ChainsError('KEY_INVALID', `${join(secrets.folder, name)} ${why}`);
  return secrets.files.get(name);
}

/** The folder that `..data` points to at this moment; undefined where there is no such layout. */
async function currentVersion(folder: string): Promise<string | undefined> {
  return realpath(join(folder, '..data')).catch(() => undefined);
}

/** Reads one version: the folder that kubelet made of it, or the folder itself. */
async function readVersion(folder: string, kubelets: string | undefined): Promise<Secrets> {
  const from = kubelets ?? folder;
  const found = await stat(from).catch((error: unknown) => reasonFor(error));
  if (typeof found === 'string') return { folder, files: new Map(), missing: found };
  if (!found.isDirectory()) return { folder, files: new Map(), missing: 'is not a folder' };
  const files = new Map<string, Uint8Array>();
  const modes = new Map<string, number>();
  const unreadable = new Map<string, string>();
  for (const name of names) {
    const read = await readBounded(join(from, name), isKeyName(name) ? longestKey : longestRoot);
    if (typeof read === 'string') unreadable.set(name, read);
    else if (read !== undefined) {
      files.set(name, read.content);
      if (isKeyName(name)) modes.set(join(folder, name), read.mode);
    }
  }
  const warnings = kubelets === undefined ? opennessOf(folder, found.mode, modes) : [];
  return { folder, files, unreadable, warnings };
}

/** Overwrites contents that won't be used, rather than leaving them to the garbage collector. */
function wipe({ files }: Secrets): void {
  for (const content of files.values()) content.fill(0);
}

/** The content and mode; a text that says why there is none; undefined where there is no such file. */
async function readBounded(
  path: string,
  sizeLimit: number,
): Promise<{ content: Uint8Array; mode: number } | string | undefined> {
  const buffer = Buffer.alloc(sizeLimit + 1);
  try {
    // Without blocking, so that a named pipe can't hold us.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile()) return 'is not a regular file';
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = (await file.read(buffer, length, buffer.length - length)).bytesRead;
    }
    if (length > sizeLimit) return `is larger than ${sizeLimit} bytes, so it is not a key`;
    return { content: new Uint8Array(buffer.subarray(0, length)), mode: found.mode };
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : reasonFor(error);
  } finally {
    buffer.fill(0);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this process: give its user the permission',
  ENOTDIR: 'is not a folder',
  ELOOP: 'is a symbolic link that leads back to itself',
};

function reasonFor(error: unknown): string {
  const code = codeOf(error);
  return reasons[code] ?? `cannot be read (${code})`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function same(a: Secrets, b: Secrets): boolean {
  return (
    a.missing === b.missing &&
    a.warnings?.join() === b.warnings?.join() &&
    names.every((name) => {
      const [left, right] = [a.files.get(name), b.files.get(name)];
      const equal =
        left === undefined || right === undefined ? left === right : Buffer.compare(left, right) === 0;
      return equal && a.unreadable?.get(name) === b.unreadable?.get(name);
    })
  );
}

/** A password file's content without the one line end that editors and `echo` put behind it (behaviour.md, "Signers"). */
export function withoutLineEnd(file: Uint8Array): Uint8Array {
  if (file.at(-1) !== 0x0a) return file;
  return file.subarray(0, file.at(-2) === 0x0d ? -2 : -1);
}

/** The text of a file; undefined when it isn't UTF-8. */
export function utf8(file: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
  } catch {
    return undefined;
  }
}
