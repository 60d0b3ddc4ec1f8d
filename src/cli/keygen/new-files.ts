import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ChainsError } from '../../errors.ts';

/** A file to be written. */
export interface NewFile {
  readonly name: string;
  readonly text: string;
  /** For its owner alone. */
  readonly isPrivate: boolean;
}

/**
 * Writes files into a folder, which is made for its owner alone when it is missing: all of them, or none when one is in
 * the way or can't be written. Gives their paths, by name.
 * @throws ChainsError USAGE
 */
export async function writeNewFiles(
  folder: string,
  files: readonly NewFile[],
): Promise<ReadonlyMap<string, string>> {
  const made: { readonly path: string; readonly handle: FileHandle }[] = [];
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const { name, isPrivate } of files) {
      const path = join(folder, name);
      made.push({ path, handle: await open(path, 'wx', isPrivate ? 0o600 : 0o644) });
    }
    for (const [index, { text }] of files.entries()) await made[index]?.handle.writeFile(text);
  } catch (cause) {
    for (const { path } of made) await rm(path, { force: true });
    throw unwritable(folder, cause);
  } finally {
    for (const { handle } of made) await handle.close();
  }
  return new Map(files.map(({ name }) => [name, join(folder, name)]));
}

function unwritable(folder: string, cause: unknown): ChainsError {
  const { code, path = folder } = Object.assign({ code: undefined, path: undefined }, cause);
  const message =
    code === 'EEXIST'
      ? `${path} exists already, and keys are never overwritten; choose another folder with --out`
      : `cannot write keys into ${folder} (${code ?? String(cause)}); choose another folder with --out`;
  return new ChainsError('USAGE', message, { cause });
}
