import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSandboxCluster } from '../../src/cli/commands/sandbox.ts';
import { portOf } from '../../sandbox/port.ts';

test('a sandbox leaves no folder behind, whether it can be started or not', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'chains-sandbox-test-'));
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = folder;
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  context.after(async () => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
    taken.close();
    await rm(folder, { recursive: true });
  });
  await assert.rejects(startSandboxCluster(portOf(taken.address())), /EADDRINUSE/);
  assert.deepEqual(await readdir(folder), []);
  const cluster = await startSandboxCluster();
  assert.equal((await readdir(folder)).length, 1);
  await cluster[Symbol.asyncDispose]();
  assert.deepEqual(await readdir(folder), []);
  await assert.rejects(fetch(cluster.sandbox.url));
  await assert.rejects(fetch(`http://${cluster.registry.host}/v2/`));
});
