import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { root, version } from '../version.ts';

/** Where a build leaves the commit that it was made from. */
export const stamp = new URL('../../commit', import.meta.url);

/** `0.1.0 (0123456789ab)`: the version, with the commit where it is known. */
export function versionText(): string {
  const commit = stampedCommit() ?? checkedOutCommit();
  return commit === undefined ? version : `${version} (${commit})`;
}

function stampedCommit(): string | undefined {
  if (!existsSync(stamp)) return undefined;
  const text = readFileSync(stamp, 'utf8').trim();
  return text === '' ? undefined : text;
}

/** What git says of this checkout; undefined without git, and for a copy inside another repository. */
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
