import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual, TextDecoder } from 'node:util';
import { ChainsError } from '../errors.ts';

/** The files that signers read (behaviour.md, "Signers"). All others in the folder are ignored. */
const keyNames = ['x509.pem', 'cosign.key', 'cosign.password', 'pgp.private-key', 'pgp.passphrase'] as const;
/** The files that say whom to trust; they are public. */
const trustNames = ['trusted_root.json', 'tuf-root.json'] as const;
const names = [...keyNames, ...trustNames] as const;

type SecretName = (typeof names)[number];

/** The largest key and the largest trusted root in bytes, so that a wrong file isn't read whole. */
const [longestKey, longestRoot] = [64 * 1024, 256 * 1024];

/** A consistent snapshot of the folder in which the Secret `signing-secrets` is mounted. */
export interface Secrets {
  readonly folder: string;
  /** The contents of the files that are there, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Why a file that is there could not be read, by name. */
  readonly unreadable?: ReadonlyMap<string, string>;
  /** Why the folder as a whole could not be read. */
  readonly missing?: string;
  /** Permissions that are too open, a line each with the command that corrects them. */
  readonly warnings?: readonly string[];
}

/**
 * Reads the folder. Never rejects: what can't be read is in `unreadable` or `missing`, for the signer that needs it.
 * In kubelet's layout (`..data`, a symbolic link that is replaced atomically) all files are read from one version.
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
 * Reads the folder every `every` milliseconds until aborted, and calls back when it differs from `known`; without `known` the
 * first snapshot is a change. Unlike modification times and watching, this works on every file system and while the folder is
 * missing, and the files are few and small.
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
    if (!signal.aborted && !isDeepStrictEqual(last, now)) {
      last = now;
      onChange(now);
    } else wipe(now);
    await wait(every, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/** KEY_INVALID for a file of the Secret. */
export function invalidKey(message: string): ChainsError {
  return new ChainsError('KEY_INVALID', message);
}

/**
 * The content of one file, undefined when it isn't there.
 * @throws ChainsError KEY_INVALID when it is there and can't be read.
 */
export function secretFile(secrets: Secrets, name: SecretName): Uint8Array | undefined {
  const why = secrets.unreadable?.get(name);
  if (why !== undefined) throw invalidKey(`${join(secrets.folder, name)} ${why}`);
  return secrets.files.get(name);
}

/** The folder that `..data` points to now; undefined in a folder without kubelet's layout. */
async function currentVersion(folder: string): Promise<string | undefined> {
  return realpath(join(folder, '..data')).catch(() => undefined);
}

/** Reads one version: the folder that kubelet made for it, or the folder itself. */
async function readVersion(folder: string, kubelets: string | undefined): Promise<Secrets> {
  const from = kubelets ?? folder;
  const found = await stat(from).catch((error: unknown) => reasonFor(error));
  if (typeof found === 'string') return { folder, files: new Map(), missing: found };
  if (!found.isDirectory()) return { folder, files: new Map(), missing: 'is not a folder' };
  const files = new Map<string, Uint8Array>();
  const modes = new Map<string, number>();
  const unreadable = new Map<string, string>();
  for (const name of names) {
    const isKey = keyNames.some((one) => one === name);
    const read = await readBounded(join(from, name), isKey ? longestKey : longestRoot);
    if (typeof read === 'string') unreadable.set(name, read);
    else if (read !== undefined) {
      files.set(name, read.content);
      if (isKey) modes.set(join(folder, name), read.mode);
    }
  }
  const warnings = kubelets === undefined ? permissionWarnings(folder, found.mode, modes) : [];
  return { folder, files, unreadable, warnings };
}

/** Mode bits of everyone who is neither the owner nor in the group. */
const others = { read: 0o004, write: 0o002, enter: 0o001 } as const;

/**
 * Warnings about a folder in which others than owner and group can read, change or add a key, each with the command that corrects
 * it. Not for kubelet's mounts, whose files are readable by everyone in the container, which is the security boundary there.
 * @param modes of the files, by path
 */
function permissionWarnings(
  folder: string,
  folderMode: number,
  modes: ReadonlyMap<string, number>,
): readonly string[] {
  const octal = (mode: number) => `mode ${(mode & 0o777).toString(8).padStart(4, '0')}`;
  const ofFolder =
    (folderMode & others.write) === 0
      ? []
      : [
          `every user of this machine can put keys into ${folder} (${octal(folderMode)}): chmod 700 ${folder}`,
        ];
  if ((folderMode & others.enter) === 0) return ofFolder;
  const open = [...modes].filter(([, mode]) => (mode & (others.read | others.write)) !== 0);
  const ofFiles = open.map(([path, mode]) => {
    const can = (mode & others.read) === 0 ? 'change' : 'read';
    return `every user of this machine can ${can} ${path} (${octal(mode)}): chmod 600 ${path}`;
  });
  return [...ofFolder, ...ofFiles];
}

/** Overwrites contents that won't be used, rather than leaving them to the garbage collector. */
function wipe({ files }: Secrets): void {
  for (const content of files.values()) content.fill(0);
}

/** The content and mode of a file; a string says why it can't be read; undefined if there is none. */
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

/** A password file's content without the one line end that editors and `echo` add (behaviour.md, "Signers"). */
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
