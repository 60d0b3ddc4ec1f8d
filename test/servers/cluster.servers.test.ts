import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { startCluster } from './cluster.ts';
import { tool } from './tools.ts';

const run = `apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: { name: build, namespace: tekton-chains }
spec: { anything: [1] }
`;

test('a started cluster keeps runs of both versions, and nothing is left when it is closed', async () => {
  const cluster = await startCluster();
  try {
    await cluster.kubectl(['create', '-f', '-'], run);
    const status = '{"status":{"conditions":[{"type":"Succeeded","status":"True","reason":"Done"}]}}';
    await cluster.kubectl([
      'patch',
      'taskrun',
      'build',
      '-n',
      'tekton-chains',
      '--subresource=status',
      '--type=merge',
      '-p',
      status,
    ]);
    const shown = await cluster.kubectl(['get', 'taskruns.v1.tekton.dev', '-n', 'tekton-chains']);
    assert.match(shown, /^NAME +SUCCEEDED +REASON +STARTTIME +COMPLETIONTIME\nbuild +True +Done/);
  } finally {
    await cluster.close();
  }
  await assert.rejects(access(dirname(cluster.kubeconfigFile)));
  await assert.rejects(cluster.kubectl(['version']));
});

test('what is not installed is an error that names the install script', () => {
  const environment = { KUBEBUILDER_ASSETS: '/nowhere', PATH: '/nowhere' };
  assert.throws(
    () => tool('etcd', environment),
    /etcd is not at \/nowhere\/etcd: run scripts\/install-test-servers\.sh/,
  );
  assert.throws(() => tool('jq', environment), /jq is not at PATH: run scripts\/install-test-servers\.sh/);
});
