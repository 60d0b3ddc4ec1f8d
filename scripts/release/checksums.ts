import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** A file of the release, and its digest. */
export interface Subject {
  readonly name: string;
  readonly sha256: string;
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** All files below a folder with their digests, by name. */
export async function digestsIn(folder: string): Promise<readonly Subject[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
  const digests: Subject[] = [];
  for (const name of names) digests.push({ name, sha256: sha256(await readFile(join(folder, name))) });
  return digests;
}

/** As `sha256sum` writes them. */
export function checksumsText(subjects: readonly Subject[]): string {
  return subjects.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
}
