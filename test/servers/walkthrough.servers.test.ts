import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mountSecret } from '../../src/sandbox/mount.ts';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { at } from '../../src/model/json.ts';
import { doneStatus, eventually, openWorld } from '../integration/world.ts';
import { startCluster } from './cluster.ts';
import { tool } from './tools.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** The commands of the README's walk-through, as they stand there. */
async function commands(): Promise<string> {
  const readme = await readFile(join(project, 'README.md'), 'utf8');
  const block = /<!-- walk-through -->\n```sh\n([^]*?)```/.exec(readme)?.[1];
  assert.ok(block !== undefined, 'the README has a walk-through');
  return block;
}

/** Says the walk-through in a shell, in a folder with the examples; gives what it printed. */
async function walkThrough(kubeconfig: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-walk-'));
  await cp(join(project, 'examples'), join(folder, 'examples'), { recursive: true });
  const path = [dirname(tool('kubectl')), process.env['PATH']].join(delimiter);
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', await commands()], {
    cwd: folder,
    env: { ...process.env, PATH: path, KUBECONFIG: kubeconfig },
  });
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (text) => (said += String(text)));
  const [code] = await once(shell, 'close');
  await rm(folder, { recursive: true, force: true });
  assert.equal(code, 0, said);
  return said;
}

test('the walk-through of the README works on `chains sandbox`', { timeout: 120_000 }, async (t) => {
  const sandbox = spawn(process.execPath, [join(project, 'bin/chains.js'), 'sandbox'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => sandbox.kill());
  let printed = '';
  sandbox.stdout.on('data', (text) => (printed += String(text)));
  const kubeconfig = await eventually(
    'the KUBECONFIG is printed',
    () => /export KUBECONFIG=(\S+)\n/.exec(printed)?.[1],
  );
  assert.match(await walkThrough(kubeconfig), /Verified OK/);
});

test('the walk-through of the README works on a real API server', { timeout: 120_000 }, async (t) => {
  const world = await openWorld(await startCluster());
  const stopping = new AbortController();
  const rest = new Rest(await openConnection({ kubeconfig: world.kubeconfigFile }));
  await world.configure({ 'artifacts.oci.storage': 'tekton' });
  // The kubelet and Tekton are played here: one mounts the Secret, the other lets the run finish.
  const mounted = join(world.folder, 'mounted');
  const mounting = mountSecret(
    rest,
    { namespace: 'tekton-chains', name: 'signing-secrets' },
    mounted,
    stopping.signal,
  );
  t.after(async () => {
    stopping.abort();
    await mounting;
    await rest.close();
    await world.close();
  });
  await world.startController({ secretsFolder: mounted });
  const tekton = eventually('the TaskRun of the walk-through', async () => {
    const items = at(
      (await world.call('GET', '/apis/tekton.dev/v1/namespaces/default/taskruns')).body,
      'items',
    );
    return Array.isArray(items) ? items[0] : undefined;
  }).then((run) => world.writeStatus(String(at(run, 'metadata', 'name')), doneStatus));
  assert.match(await walkThrough(world.kubeconfigFile), /Verified OK/);
  await tekton;
});
