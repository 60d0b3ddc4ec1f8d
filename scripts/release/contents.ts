import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { putProgram } from './debian.ts';
import { cached, type Pinned } from './inputs.ts';
import { run } from './run.ts';

/** The root of the checkout. */
export const project = fileURLToPath(new URL('../..', import.meta.url));

/** Puts the pinned Node.js into a root as `/usr/local/bin/node`, with its licence. */
export async function putNode(root: string, pinned: Pinned, folder: string): Promise<void> {
  const { name, version } = pinned;
  const path = await cached(pinned, async () => {
    const own = join(folder, `fetch-${name}`);
    await mkdir(own, { recursive: true });
    await run('npm', ['pack', '--silent', '--pack-destination', own, `${name}@${version}`], { cwd: own });
    return join(own, `${name}-${version}.tgz`);
  });
  const unpacked = join(folder, name);
  await mkdir(unpacked);
  await run('tar', ['-xzf', path, '-C', unpacked, 'package/bin/node', 'package/LICENSE']);
  await putProgram(root, join(unpacked, 'package/bin/node'), 'usr/local/bin/node');
  await mkdir(join(root, 'usr/local/share/doc/node'), { recursive: true });
  await cp(join(unpacked, 'package/LICENSE'), join(root, 'usr/local/share/doc/node/LICENSE'));
}

/** Builds this program into `/app` of a root, with what it depends on: no compiler, no tests. */
export async function putApplication(root: string, commit: string): Promise<void> {
  const app = join(root, 'app');
  await mkdir(app, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', '.npmrc', 'LICENSE', 'deploy', 'examples'])
    await cp(join(project, name), join(app, name), { recursive: true });
  const omitted = ['--omit=dev', '--omit=optional', '--ignore-scripts', '--prefer-offline', '--no-bin-links'];
  await run('npm', ['ci', ...omitted], { cwd: app });
  for (const name of ['package-lock.json', '.npmrc', 'node_modules/.package-lock.json'])
    await rm(join(app, name));
  const compiler = join(project, 'node_modules/typescript/bin/tsc');
  const built = ['-p', join(project, 'tsconfig.build.json'), '--outDir', join(app, 'dist')];
  await run(process.execPath, [compiler, ...built], { cwd: project });
  // Types are for the package, not for a program that runs.
  for (const name of await readdir(join(app, 'dist'), { recursive: true }))
    if (name.endsWith('.d.ts')) await rm(join(app, 'dist', name));
  await writeFile(join(app, 'dist/commit'), commit.slice(0, 12));
}

/** How the image is started: what the Dockerfile says of its last stage. */
export async function startOf(): Promise<{
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly environment: readonly string[];
}> {
  const text = (await readFile(join(project, 'Dockerfile'), 'utf8')).split(/^FROM /m).at(-1) ?? '';
  const said = (word: string): string => {
    const found = new RegExp(`^${word} (.+)$`, 'm').exec(text)?.[1];
    if (found === undefined) throw new Error(`the Dockerfile has no ${word}`);
    return found;
  };
  const list = (word: string): readonly string[] => {
    const words: unknown = JSON.parse(said(word));
    if (Array.isArray(words) && words.every((one) => typeof one === 'string')) return words;
    throw new Error(`${word} of the Dockerfile is not a list`);
  };
  return {
    User: said('USER'),
    Entrypoint: list('ENTRYPOINT'),
    Cmd: list('CMD'),
    WorkingDir: said('WORKDIR'),
    environment: said('ENV').split(' '),
  };
}
