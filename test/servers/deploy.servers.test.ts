import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { keygen } from '../../src/cli/commands/keygen.ts';
import { configData, parseConfig } from '../../src/config/parse.ts';
import { readIdentityToken } from '../../src/controller/identity-token.ts';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { startCluster } from './cluster.ts';
import { folderFor } from './signed.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
const account = 'system:serviceaccount:tekton-chains:tekton-chains-controller';

/** What the account may do, and what not. */
const rights: readonly (readonly [string, string, string])[] = [
  ['yes', 'patch', 'taskruns.tekton.dev'],
  ['yes', 'watch', 'taskruns.tekton.dev'],
  ['yes', 'create', 'events'],
  ['yes', 'watch', 'configmaps/chains-config'],
  ['yes', 'get', 'configmaps/tekton-chains-config-leader-election'],
  ['yes', 'create', 'leases.coordination.k8s.io'],
  ['yes', 'watch', 'leases.coordination.k8s.io'],
  ['yes', 'patch', 'leases.coordination.k8s.io'],
  ['yes', 'delete', 'leases.coordination.k8s.io'],
  ['no', 'patch', 'configmaps/chains-config'],
  ['no', 'get', 'configmaps/another'],
  ['no', 'get', 'secrets'],
  ['no', 'get', 'serviceaccounts'],
  ['no', 'list', 'secrets'],
  ['no', 'watch', 'secrets'],
  ['no', 'delete', 'taskruns.tekton.dev'],
  ['no', 'patch', 'taskruns.tekton.dev --subresource=status'],
  ['no', 'create', 'pods'],
];

test('kubectl apply -k deploy/ gives the controller what it calls, and nothing more', async (t) => {
  const cluster = await startCluster();
  t.after(() => cluster.close());
  await cluster.kubectl(['apply', '-k', deploy]);
  for (const [answer, verb, resource] of rights) {
    const asked = ['auth', 'can-i', verb, ...resource.split(' '), '-n', 'tekton-chains', `--as=${account}`];
    const said = await cluster.kubectl(asked).catch((error: unknown) => String(error));
    assert.match(said, answer === 'yes' ? /^yes/ : /\bno\b/, `${verb} ${resource}`);
  }
  const credentials = join(deploy, 'registry-credentials.yaml');
  await cluster.kubectl(['create', 'namespace', 'team-a']);
  await cluster.kubectl(['apply', '-n', 'team-a', '-f', credentials]);
  for (const [namespace, verb, answer] of [
    ['team-a', 'get', /^yes/],
    ['team-a', 'list', /\bno\b/],
    ['default', 'get', /\bno\b/],
  ] as const) {
    const asked = ['auth', 'can-i', verb, 'secrets', '-n', namespace, `--as=${account}`];
    assert.match(await cluster.kubectl(asked).catch((error: unknown) => String(error)), answer);
  }
  const policy = await cluster.kubectl(['get', 'networkpolicy', '-n', 'tekton-chains', '-o', 'json']);
  assert.match(policy, /169\.254\.0\.0\/16/);
  const kubeconfig = join(await folderFor(t), 'kubeconfig');
  await writeFile(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  const make = { type: 'ecdsa', secret: true, apply: true, kubeconfig };
  const streams = { stdout: { write: () => true }, stderr: { write: () => true } };
  await keygen(make, streams);
  await assert.rejects(keygen(make, streams), { code: 'USAGE', message: /holds something already/ });
  await cluster.kubectl(['apply', '-k', deploy]);
  const kept = await cluster.kubectl([
    'get',
    'secret',
    'signing-secrets',
    '-n',
    'tekton-chains',
    '-o',
    'jsonpath={.data}',
  ]);
  assert.match(kept, /x509\.pem/, 'a filled Secret survives another apply');
});

test('kubectl apply -k deploy/keyless lets the controller get tokens of its own service account alone', async (t) => {
  const cluster = await startCluster();
  t.after(() => cluster.close());
  await cluster.kubectl(['apply', '-k', join(deploy, 'keyless')]);
  for (const [name, answer] of [
    ['tekton-chains-controller', /^yes/],
    ['default', /\bno\b/],
  ] as const) {
    const asked = [
      'auth',
      'can-i',
      'create',
      `serviceaccounts/${name}`,
      '--subresource=token',
      `--as=${account}`,
    ];
    const said = await cluster
      .kubectl([...asked, '-n', 'tekton-chains'])
      .catch((error: unknown) => String(error));
    assert.match(said, answer, name);
  }
  const config = await cluster.kubectl([
    'get',
    'configmap',
    'chains-config',
    '-n',
    'tekton-chains',
    '-o',
    'json',
  ]);
  assert.equal(parseConfig(configData(JSON.parse(config))).config['signers.x509.fulcio.enabled'], true);
  const volumes = await cluster.kubectl(['get', 'deployment', '-n', 'tekton-chains', '-o', 'json']);
  assert.match(volumes, /"audience": "sigstore"/);

  const own = await cluster.kubectl(['create', 'token', 'tekton-chains-controller', '-n', 'tekton-chains']);
  const folder = await folderFor(t);
  const kubeconfig = join(folder, 'kubeconfig');
  const asAccount = cluster.kubeconfig.replace(/token: .*/, `token: ${own.trim()}`);
  await writeFile(kubeconfig, asAccount, { mode: 0o600 });
  const rest = new Rest(await openConnection({ kubeconfig }));
  t.after(() => rest.close());
  const token = await readIdentityToken(rest)('sigstore');
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  assert.deepEqual([claims.aud, claims.sub], [['sigstore'], account]);
});
