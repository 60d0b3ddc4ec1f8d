import { createHash } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { at, listAt, parseJson, textIn } from '../../src/json.ts';

/** The platforms that a release is for, as OCI names their architectures. */
export const architectures = ['amd64', 'arm64'] as const;

/** One of them. */
export type Architecture = (typeof architectures)[number];

/** Something that is fetched: by name and version from its registry, and known by its hash. */
export interface Pinned {
  readonly name: string;
  readonly version: string;
  readonly hash: { readonly algorithm: 'sha256' | 'sha512'; readonly hex: string };
}

/** What the image of one platform is made of, beside this program and its npm packages. */
export interface PlatformInputs {
  readonly node: Pinned;
  readonly debian: readonly Pinned[];
}

/** Everything that `inputs.json` pins. */
export interface Inputs {
  /** The release of Debian. */
  readonly suite: string;
  readonly platforms: Readonly<Record<Architecture, PlatformInputs>>;
}

/** The file with the pinned hashes. */
export const inputsFile = new URL('inputs.json', import.meta.url);

/** Reads `inputs.json`. */
export async function readInputs(): Promise<Inputs> {
  const json = parseJson(await readFile(inputsFile, 'utf8'));
  const platform = (architecture: Architecture): PlatformInputs => {
    const one = at(json, 'platforms', architecture);
    const [algorithm, base64 = ''] = textIn(at(one, 'node', 'integrity')).split('-');
    if (algorithm !== 'sha512') throw new Error(`inputs.json has no sha512 of Node.js for ${architecture}`);
    const hash = { algorithm: 'sha512', hex: Buffer.from(base64, 'base64').toString('hex') } as const;
    return {
      node: { ...named(at(one, 'node')), hash },
      debian: listAt(one, 'debian').map((entry) => ({
        ...named(entry),
        hash: { algorithm: 'sha256', hex: textIn(at(entry, 'sha256')) },
      })),
    };
  };
  return {
    suite: textIn(at(json, 'suite')),
    platforms: { amd64: platform('amd64'), arm64: platform('arm64') },
  };
}

function named(entry: unknown): Pick<Pinned, 'name' | 'version'> {
  return { name: textIn(at(entry, 'name')), version: textIn(at(entry, 'version')) };
}

/** Whether bytes are those that are pinned. */
export function isPinned({ hash }: Pinned, bytes: Uint8Array): boolean {
  return createHash(hash.algorithm).update(bytes).digest('hex') === hash.hex;
}

/**
 * The path of a pinned file below the cache: fetched once, and its hash checked each time.
 * @param fetch puts the file into a folder, which is empty, and gives its path
 */
export async function cached(pinned: Pinned, fetch: () => Promise<string>): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tekton-chains-release');
  const path = join(cache, `${pinned.name}-${pinned.hash.hex.slice(0, 32)}`);
  const kept = await readFile(path).catch(() => undefined);
  if (kept !== undefined && isPinned(pinned, kept)) return path;
  const fetched = await fetch();
  if (!isPinned(pinned, await readFile(fetched)))
    throw new Error(
      `${pinned.name} ${pinned.version} is not the file that scripts/release/inputs.json pins by its ${pinned.hash.algorithm}; do not use it`,
    );
  await mkdir(dirname(path), { recursive: true });
  await rename(fetched, path);
  return path;
}
