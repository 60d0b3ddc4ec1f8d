import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { at, isJsonList, parseJson } from '../../src/json.ts';
import { mountSecret } from '../../sandbox/mount.ts';
import { startControllerProcess } from '../integration/controller-process.ts';
import { doneStatus, openWorld, taskRuns, type World } from '../integration/world.ts';
import { RepositoryView } from '../store/oci/world.ts';
import { startCluster } from './cluster.ts';
import { outputOf, start } from './process.ts';
import { startDockerRegistry } from './registries.ts';
import { tool } from './tools.ts';
import { project, walkThrough } from './walkthrough.ts';

const long = { timeout: 300_000 };

test('the walk-through works on `chains sandbox`', long, async (t) => {
  const sandbox = start(process.execPath, [join(project, 'bin/chains.js'), 'sandbox']);
  t.after(() => sandbox.stop());
  const value = async (name: string) =>
    (await sandbox.printed(new RegExp(`^export ${name}=(\\S+)$`, 'm')))[1] ?? '';
  const [KUBECONFIG, IMAGE, SIGNING_SECRETS] = await Promise.all([
    value('KUBECONFIG'),
    value('IMAGE'),
    value('SIGNING_SECRETS'),
  ]);
  await walkThrough(t, { KUBECONFIG, IMAGE, SIGNING_SECRETS }, 'cosign 3', () => sandbox.output());
});

test('the walk-through works on a real API server, with what `deploy/` sets up', long, async (t) => {
  const cluster = await startCluster();
  const world = await openWorld(cluster);
  const registry = await startDockerRegistry();
  const stopping = new AbortController();
  const rest = new Rest(await openConnection({ kubeconfig: world.kubeconfigFile }));
  await cluster.kubectl(['apply', '-k', join(project, 'deploy')]);
  // The kubelet and Tekton are played here: one mounts the Secret, the other lets runs finish.
  const mounted = join(world.folder, 'mounted');
  const secret = { namespace: 'tekton-chains', name: 'signing-secrets' };
  const playing = [mountSecret(rest, secret, mounted, stopping.signal), playTekton(world, stopping.signal)];
  const controller = startControllerProcess({
    kubeconfigFile: await accountIn(world, cluster),
    secretsFolder: mounted,
  });
  t.after(async () => {
    await controller.end('SIGTERM');
    stopping.abort();
    await Promise.all(playing);
    await rest.close();
    await registry.close();
    await world.close();
  });
  const surroundings = {
    KUBECONFIG: world.kubeconfigFile,
    IMAGE: await new RepositoryView(registry, 'demo/hello').pushImage('hello'),
    SIGNING_SECRETS: mounted,
  };
  await walkThrough(t, surroundings, 'cosign 2', () => controller.log());
});

/** A kubeconfig with the account that `deploy/` gives the controller; its path. */
async function accountIn(
  { folder, kubeconfigFile }: World,
  { kubeconfig, token }: { readonly kubeconfig: string; readonly token: string },
): Promise<string> {
  const asked = ['create', 'token', 'tekton-chains-controller', '-n', 'tekton-chains'];
  const account = await outputOf(tool('kubectl'), ['--kubeconfig', kubeconfigFile, ...asked]);
  const file = join(folder, 'account');
  await writeFile(file, kubeconfig.replace(token, account.trim()), { mode: 0o600 });
  return file;
}

/** Lets each TaskRun finish with the results that it brings along for the sandbox. */
async function playTekton(world: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // An API server that has only just got to know the kind asks for patience.
    const items = at((await world.call('GET', taskRuns)).body, 'items');
    for (const run of isJsonList(items) ? items : []) {
      if (at(run, 'status', 'completionTime') !== undefined) continue;
      const results = parseJson(
        String(at(run, 'metadata', 'annotations', 'sandbox.tekton.dev/results') ?? '{}'),
      );
      await world.writeStatus(String(at(run, 'metadata', 'name')), {
        ...doneStatus,
        results: Object.entries(results ?? {}).map(([name, value]) => ({ name, type: 'string', value })),
      });
    }
    await pause(100);
  }
}
