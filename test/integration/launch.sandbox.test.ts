import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '../../sandbox/index.ts';
import { eventually, openWorld } from './world.ts';

const launcher = fileURLToPath(new URL('../../bin/chains.js', import.meta.url));

test('a controller that the launcher starts has the options of the image, in the process that was started', {
  skip: process.platform === 'linux' ? false : 'it reads /proc',
}, async (context) => {
  const world = await openWorld(await startSandbox({ life: false }));
  context.after(() => world.close());
  const files = ['--kubeconfig', world.kubeconfigFile, '--signing-secrets', world.secretsFolder];
  const { NODE_OPTIONS: _, ...environment } = process.env;
  const child = spawn(
    process.execPath,
    [launcher, 'controller', ...files, '--metrics-port', '0', '--health-port', '0'],
    { env: environment, stdio: 'ignore' },
  );
  context.after(() => child.kill('SIGKILL'));
  const [words, variables] = await eventually('it has its options', async () => {
    const [line, variables] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${child.pid}/${file}`, 'utf8')),
    );
    return line?.includes('--optimize-for-size') ? [line.split('\0'), variables ?? ''] : undefined;
  });
  assert.ok(words.includes('--max-semi-space-size=1') && words.includes('controller'));
  assert.match(variables, /MALLOC_ARENA_MAX=1/);
});
