import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { runInstall } from '../../src/cli/commands/install.ts';
import { runUninstall } from '../../src/cli/commands/uninstall.ts';
import { at, listAt } from '../../src/json.ts';
import { becomeReady, deployment, deploymentPath, endCancelledRun, mounted, must } from './played-cluster.ts';
import { eventually, itemsAt, openWorld, runsPath, type TestCluster, type World } from './world.ts';

const core = '/api/v1/namespaces/tekton-chains';
const secret = `${core}/secrets/signing-secrets`;
const image = 'registry.example.com/tekton-chains@sha256:' + 'a'.repeat(64);

/** What the command printed, and its exit code. */
async function install(
  world: World,
  timeout = 60,
): Promise<{ readonly code: number; readonly said: string }> {
  let said = '';
  const options = { namespace: 'tekton-chains', kubeconfig: world.kubeconfigFile, image, timeout };
  const code = await runInstall(options, (text) => (said += text));
  return { code, said };
}

async function uninstall(world: World, deleteKey = false): Promise<string> {
  let said = '';
  const options = { namespace: 'tekton-chains', kubeconfig: world.kubeconfigFile, deleteKey, timeout: 1 };
  await runUninstall(options, (text) => (said += text));
  return said;
}

/** A run that is held by our finalizer, and by another's where one is named. */
async function heldRun(
  world: World,
  namespace: string,
  name: string,
  others: readonly string[] = [],
): Promise<void> {
  const kind = name.startsWith('pipeline') ? 'PipelineRun' : 'TaskRun';
  const finalizers = [`chains.tekton.dev/${kind.toLowerCase()}`, ...others];
  const path = runsPath(kind).replace('/default/', `/${namespace}/`);
  await must(world, 'POST', path, {
    apiVersion: 'tekton.dev/v1',
    kind,
    metadata: { name, finalizers },
    spec: {},
  });
}

/** `chains install` and `chains uninstall` on a cluster on which nothing schedules Pods or runs Tasks: the test plays that. */
export function installSuite(where: string, startCluster: () => Promise<TestCluster>): void {
  suite(`chains install on ${where}`, () => {
    const opened = async (t: TestContext): Promise<World> => {
      const world = await openWorld(await startCluster());
      t.after(() => world.close());
      return world;
    };

    test('leads from nothing to a verified signature, and a second time keeps key and configuration', async (t) => {
      const world = await opened(t);
      await mounted(t, world);
      const installing = install(world);
      const object = await deployment(world);
      const [container] = listAt(object, 'spec', 'template', 'spec', 'containers');
      assert.equal(at(container, 'image'), image);
      const { body: made } = await world.call('GET', secret);
      assert.deepEqual(
        Object.keys(at(made, 'data') ?? {}),
        ['x509.pem', 'x509.pub'],
        'the key is there before Pods are',
      );
      await eventually('the key is mounted, as it is before Pods start', async () => {
        // It may be in the middle of being replaced.
        const mountedKey = await readFile(join(world.secretsFolder, 'x509.pem'), 'base64').catch(() => '');
        return mountedKey === at(made, 'data', 'x509.pem') ? true : undefined;
      });
      world.startProcess();
      await becomeReady(world);
      await endCancelledRun(world);
      const { code, said } = await installing;
      assert.equal(code, 0);
      assert.match(
        said,
        /^ +1\. Namespace, rights and configuration[^]* A new ECDSA P-256 key \S+ is in the Secret/m,
      );
      assert.match(said, /^ {2}verified$/m);
      assert.deepEqual(await itemsAt(world, runsPath().replace('/default/', '/tekton-chains/')), []);

      const data = { 'artifacts.oci.storage': 'oci' };
      await must(world, 'PATCH', `${core}/configmaps/chains-config`, { data });
      const again = install(world);
      await endCancelledRun(world);
      const second = await again;
      assert.equal(second.code, 0);
      assert.match(second.said, /ConfigMap chains-config: left as it is[^]*holds a key already/);
      const { body: kept } = await world.call('GET', secret);
      assert.deepEqual(at(kept, 'data'), at(made, 'data'));
      const { body: config } = await world.call('GET', `${core}/configmaps/chains-config`);
      assert.deepEqual(at(config, 'data'), data);
    });

    test('--dry-run prints the manifests, and needs no cluster', async () => {
      let said = '';
      const options = { namespace: 'elsewhere', image, dryRun: true, timeout: 1, kubeconfig: '/nowhere' };
      assert.equal(await runInstall(options, (text) => (said += text)), 0);
      const objects = parseAllDocuments(said).map((document): unknown => document.toJS());
      assert.ok(objects.length > 10);
      const namespaces = objects.map((one) => at(one, 'metadata', 'namespace'));
      assert.deepEqual(new Set(namespaces), new Set([undefined, 'elsewhere']));
      assert.ok(said.includes(`image: ${image}\n`) && !said.includes('namespace: tekton-chains'));
    });

    test('an image that cannot be pulled is named, with what to do', async (t) => {
      const world = await opened(t);
      await must(world, 'POST', `${core}/pods`, pod);
      const waiting = { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` };
      const containerStatuses = [
        { name: 'controller', image, imageID: '', ready: false, restartCount: 0, state: { waiting } },
      ];
      await must(world, 'PATCH', `${core}/pods/controller-1/status`, { status: { containerStatuses } });
      await assert.rejects(install(world, 1), {
        code: 'INSTALLATION_UNFINISHED',
        message: /not ready after 1 seconds: ImagePullBackOff: Back-off pulling image/,
        hint: /^Push the image to a registry .*chains install --image/,
      });
      await assert.rejects(uninstall(world), {
        code: 'INSTALLATION_UNFINISHED',
        message: /Pods .* still there/,
      });
    });

    test('a Deployment of that name which another program made is left alone', async (t) => {
      const world = await opened(t);
      const labels = { app: 'another' };
      const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'another' }] } };
      const object = {
        ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'tekton-chains-controller' } },
        spec: { selector: { matchLabels: labels }, template },
      };
      await must(world, 'POST', deploymentPath.replace(/\/[^/]+$/, ''), object);
      await assert.rejects(install(world), { code: 'USAGE', hint: /migrating/ });
      assert.equal((await world.call('GET', `${core}/serviceaccounts/tekton-chains-controller`)).status, 404);
    });

    test('no controller that signs: the message says so, and the run stays to be looked at', async (t) => {
      const world = await opened(t);
      const installing = install(world, 2);
      await becomeReady(world);
      await assert.rejects(installing, {
        code: 'INSTALLATION_UNFINISHED',
        message: /^Tekton has not ended TaskRun chains-install-/,
      });
      assert.equal((await itemsAt(world, runsPath().replace('/default/', '/tekton-chains/'))).length, 1);
    });

    test('uninstall leaves no finalizer of ours, those of others, the key, and runs that can be deleted', async (t) => {
      const world = await opened(t);
      await assert.rejects(install(world, 1), { code: 'INSTALLATION_UNFINISHED' });
      await must(world, 'POST', '/api/v1/namespaces', { metadata: { name: 'team-a' } });
      for (let number = 1; number <= 260; number += 1) await heldRun(world, 'default', `run-${number}`);
      await heldRun(world, 'team-a', 'pipeline-1');
      await heldRun(world, 'team-a', 'run-other', ['example.com/other', 'chains.tekton.dev']);
      const deleted = `${runsPath()}/run-7`;
      await must(world, 'DELETE', deleted);
      assert.equal((await world.call('GET', deleted)).status, 200, 'the finalizer holds it');

      const said = await uninstall(world);
      assert.match(said, /off all taskruns; 261 had it[^]*off all pipelineruns; 1 had it/);
      assert.equal((await world.call('GET', deleted)).status, 404);
      const runs = await itemsAt(world, '/apis/tekton.dev/v1/taskruns');
      assert.deepEqual(
        [...new Set(runs.flatMap((run) => listAt(run, 'metadata', 'finalizers')))],
        ['example.com/other'],
      );
      await must(world, 'DELETE', `${runsPath('PipelineRun').replace('/default/', '/team-a/')}/pipeline-1`);
      assert.deepEqual(await itemsAt(world, '/apis/tekton.dev/v1/pipelineruns'), []);

      for (const path of [
        deploymentPath,
        `${core}/configmaps/chains-config`,
        `${core}/services/tekton-chains-metrics`,
      ])
        assert.equal((await world.call('GET', path)).status, 404, path);
      const { body: kept } = await world.call('GET', secret);
      assert.ok(at(kept, 'data', 'x509.pem'));
      assert.match(await uninstall(world, true), /ConfigMap chains-config: was not there/);
      assert.equal((await world.call('GET', secret)).status, 404);
    });
  });
}

/** A Pod that the restricted policy of the namespace lets in. */
const pod = {
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: { name: 'controller-1', labels: { 'app.kubernetes.io/name': 'tekton-chains' } },
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        ...{ name: 'controller', image },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
};
