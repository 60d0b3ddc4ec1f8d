import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { runInstall } from '../../src/cli/commands/install.ts';
import { manifestsText, readManifests } from '../../src/install/manifests.ts';
import { titleOf } from '../../src/install/resources.ts';
import { isJsonObject, type JsonObject } from '../../src/json.ts';
import { installSuite } from '../integration/install.suite.ts';
import { startCluster } from './cluster.ts';
import { outputOf } from './process.ts';
import { tool } from './tools.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

installSuite('a real API server', startCluster);

function objectsIn(text: string): readonly JsonObject[] {
  const documents = parseAllDocuments(text, { version: '1.1' });
  const objects = documents.map((document): unknown => document.toJS()).filter(isJsonObject);
  return objects.toSorted((one, other) => titleOf(one).localeCompare(titleOf(other)));
}

test('the manifests are what kubectl kustomize renders', async () => {
  const rendered = await outputOf(tool('kubectl'), ['kustomize', join(project, 'deploy')]);
  const ours = manifestsText(await readManifests({ namespace: 'tekton-chains' }));
  assert.deepEqual(objectsIn(ours), objectsIn(rendered));
});

test('a cluster without Tekton is told so, and nothing is changed', async (t) => {
  const cluster = await startCluster();
  t.after(() => cluster.close());
  await cluster.kubectl(['delete', '-f', join(project, 'test/servers/crds.yaml')]);
  const options = { namespace: 'chains-new', kubeconfig: cluster.kubeconfigFile, timeout: 1 };
  await assert.rejects(
    runInstall(options, () => true),
    { code: 'USAGE', message: /has no TaskRuns; nothing was changed/ },
  );
  await assert.rejects(cluster.kubectl(['get', 'namespace', 'chains-new']), /NotFound/);
});

test('kubectl delete -f, and the command of docs/operating.md, leave runs that can be deleted', async (t) => {
  const cluster = await startCluster();
  t.after(() => cluster.close());
  const text = manifestsText(await readManifests({ namespace: 'tekton-chains' }));
  await cluster.kubectl(['apply', '-f', '-'], text);
  const held = (kind: string, name: string, finalizers: readonly string[]): string =>
    JSON.stringify({
      apiVersion: 'tekton.dev/v1',
      kind,
      metadata: { name, namespace: 'default', finalizers },
    });
  for (const run of [
    held('TaskRun', 'held', ['chains.tekton.dev/taskrun']),
    held('TaskRun', 'held-twice', ['example.com/other', 'chains.tekton.dev/taskrun']),
    held('PipelineRun', 'held', ['chains.tekton.dev/pipelinerun']),
    held('TaskRun', 'free', ['example.com/other']),
  ])
    await cluster.kubectl(['create', '-f', '-'], run);
  await cluster.kubectl(['delete', '--wait=false', '-f', '-'], text);
  await cluster.kubectl(['delete', 'taskrun/held', 'pipelinerun/held', '--wait=false']);
  assert.match(await cluster.kubectl(['get', 'taskruns']), /^held /m, 'the finalizer holds it');

  const page = await readFile(join(project, 'docs/operating.md'), 'utf8');
  const [, commands = ''] = /<!-- not run: [^>]*finalizers[^>]* -->\n```sh\n([^]*?)```/.exec(page) ?? [];
  assert.match(commands, /kubectl get/);
  const path = [dirname(tool('kubectl')), process.env['PATH']].join(delimiter);
  const environment = { ...process.env, PATH: path, KUBECONFIG: cluster.kubeconfigFile };
  await outputOf('bash', ['-euo', 'pipefail', '-c', commands], { environment });
  const left = await cluster.kubectl([
    'get',
    'taskruns,pipelineruns',
    '-o',
    'jsonpath={.items[*].metadata.finalizers}',
  ]);
  assert.equal(left, '["example.com/other"] ["example.com/other"]');
  assert.doesNotMatch(await cluster.kubectl(['get', 'taskruns,pipelineruns']), /^held /m);
});
