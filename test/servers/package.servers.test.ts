import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const project = fileURLToPath(new URL('../..', import.meta.url));

/** Uses the library and the command as somebody would who has only installed the package. */
const script = `
import { explain, sign, verify } from 'tekton-chains';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
writeFileSync('x509.pem', privateKey.export({ format: 'pem', type: 'pkcs8' }));
const run = {
  apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata: { name: 'a', namespace: 'b', uid: 'c' },
  status: { conditions: [{ type: 'Succeeded', status: 'True' }] },
};
const { decision } = await explain({ run });
const { artifacts: [artifact] } = await sign({ run, signingSecrets: '.' });
run.metadata.annotations = {
  'chains.tekton.dev/signed': 'true', 'chains.tekton.dev/signed-uid': 'c',
  'chains.tekton.dev/payload-taskrun': artifact.payloadBytes, 'chains.tekton.dev/signature-taskrun': artifact.signature,
};
const { verified } = await verify({ run, keys: [publicKey.export({ format: 'pem', type: 'spki' })] });
console.log(JSON.stringify({ action: decision.action, verified }));
`;

const typed = `
import { explain, type Explanation } from 'tekton-chains';
export const decision: Promise<Explanation['decision']> = explain({ run: {} }).then((explanation) => explanation.decision);
`;

test('the packed package works where it is installed: library, types and command', {
  timeout: 120_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'chains-package-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await run('npm', ['pack', '--pack-destination', folder], { cwd: project });
  const [tarball = ''] = await readdir(folder);
  assert.match(tarball, /\.tgz$/);
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  const linked = async (path: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(join(project, path), join(folder, path));
  };
  // What it depends on is there already; the package itself comes out of the tarball as npm unpacks it.
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'tekton-chains'), { recursive: true });
  await run('tar', [
    '-xzf',
    join(folder, tarball),
    '-C',
    join(modules, 'tekton-chains'),
    '--strip-components=1',
  ]);
  const { packages } = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8'));
  type Locked = { readonly dev?: boolean; readonly optional?: boolean; readonly devOptional?: boolean };
  for (const [path, { dev, optional, devOptional }] of Object.entries<Locked>(packages)) {
    const needed = /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path) && !(dev || optional || devOptional);
    if (needed) await linked(path);
  }

  await writeFile(join(folder, 'use.js'), script);
  const used = await run(process.execPath, ['use.js'], { cwd: folder });
  assert.deepEqual(JSON.parse(used.stdout), { action: 'sign', verified: true });

  await writeFile(join(folder, 'use.ts'), typed);
  await linked('node_modules/@types/node');
  await linked('node_modules/undici-types');
  const compiler = join(project, 'node_modules/typescript/bin/tsc');
  const strict = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--target',
    'es2025',
    'use.ts',
  ];
  await run(process.execPath, [compiler, '--ignoreConfig', ...strict], { cwd: folder });

  const { version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
  const command = await run(process.execPath, [join(modules, 'tekton-chains/bin/chains.js'), '--version'], {
    cwd: folder,
  });
  const { stdout: commit } = await run('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: project });
  assert.equal(command.stdout, `${version} (${commit.trim()})\n`);
});
