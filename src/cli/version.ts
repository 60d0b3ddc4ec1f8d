import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { root, version } from '../version.ts';

/** The file in which a build records its commit. */
export const stamp = new URL('../../commit', import.meta.url);

/** `0.1.0 (0123456789ab)`: the version, with the commit where it is known. */
export function versionText(): string {
  const stamped = existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : '';
  const commit = stamped === '' ? checkedOutCommit() : stamped;
  return commit === undefined ? version : `${version} (${commit})`;
}

/** The commit of this checkout; undefined without git, and for a copy inside another repository. */
export function checkedOutCommit(): string | undefined {
  if (!existsSync(new URL('.git', root))) return undefined;
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: fileURLToPath(root),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
