import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { at, objectIn, parseJson, textIn } from '../../src/json.ts';
import { sha256 } from './checksums.ts';
import { project } from './contents.ts';
import { newestDebian } from './debian.ts';
import { type Architecture, architectures, inputsFile, readInputs } from './inputs.ts';

/** Writes `inputs.json` with Node.js as package-lock.json has it, and the newest versions of Debian's packages. */
export async function pinNewest(folder: string): Promise<void> {
  const inputs = await readInputs();
  const lock = parseJson(await readFile(join(project, 'package-lock.json'), 'utf8'));
  const platform = async (architecture: Architecture) => {
    const { name } = inputs.platforms[architecture].node;
    const locked = objectIn(at(lock, 'packages', `node_modules/${name}`));
    const node = { name, version: textIn(locked['version']), integrity: textIn(locked['integrity']) };
    const debian = [];
    for (const { path, ...one } of await newestDebian(inputs, architecture, folder))
      debian.push({ ...one, sha256: sha256(await readFile(path)) });
    return [architecture, { node, debian }] as const;
  };
  const platforms = [];
  for (const architecture of architectures) platforms.push(await platform(architecture));
  const pinned = { suite: inputs.suite, platforms: Object.fromEntries(platforms) };
  await writeFile(inputsFile, `${JSON.stringify(pinned, undefined, 2)}\n`);
}
