import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse, parseDocument } from 'yaml';
import { runMigrate } from '../../src/cli/commands/migrate.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { withStderr } from './stderr.ts';

/** What the command prints of this file. */
async function migrated(context: TestContext, text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'chains-migrate-'));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'old.yaml');
  await writeFile(file, text);
  let out = '';
  const { err } = await withStderr(context, () => runMigrate({ file }, (printed) => (out += printed)));
  return { out, err, object: parse(out, { version: '1.1' }) };
}

const configMap = (data: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: chains-config\n  namespace: tekton-chains\ndata:\n${data}`;

/** As `kubectl get -o yaml` prints it after `kubectl apply` and edits. */
const fromCluster = `# ours
apiVersion: v1
kind: ConfigMap
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"apiVersion":"v1","data":{}}
  creationTimestamp: "2024-01-01T00:00:00Z"
  labels:
    app.kubernetes.io/part-of: tekton-chains
  name: chains-config
  namespace: tekton-chains
  ownerReferences:
  - kind: TektonInstallerSet
    name: chains
    uid: 0a
  resourceVersion: "12"
  uid: 6f916ff1-65f1-4aa6-902b-5d8de91f750a
data:
  # where images go
  artifacts.oci.storage: oci # beside them
`;

test('a format that is left out is the one of another Chains; comments stay, what the API server wrote goes', async (context) => {
  const { out, err, object } = await migrated(context, fromCluster);
  assert.deepEqual(err, []);
  assert.deepEqual(object, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      labels: { 'app.kubernetes.io/part-of': 'tekton-chains' },
      name: 'chains-config',
      namespace: 'tekton-chains',
    },
    data: { 'artifacts.oci.storage': 'oci', 'artifacts.taskrun.format': 'in-toto' },
  });
  for (const comment of ['# ours\n', '# where images go\n  artifacts.oci.storage: oci # beside them\n'])
    assert.ok(out.includes(comment), out);
  assert.match(out, /# the default of another Chains[^\n]*\n {2}artifacts\.taskrun\.format: in-toto\n/);
});

test('what has been migrated stays as it is', async (context) => {
  const once = await migrated(context, configMap('  transparency.enabled: "no"\n'));
  const twice = await migrated(context, once.out);
  assert.deepEqual(twice.object, once.object);
});

for (const [title, line, becomes, why, isOpen] of [
  [
    'a value that is not a boolean',
    'storage.oci.repository.insecure: "yes"',
    'false',
    /not a boolean/,
    false,
  ],
  ['an empty boolean', 'signers.x509.fulcio.enabled: ""', 'false', /not a boolean/, false],
  [
    'a boolean without quotes',
    'artifacts.pipelinerun.enable-deep-inspection: yes',
    'false',
    /not a boolean/,
    false,
  ],
  ['a log that is off with another Chains', 'transparency.enabled: "1"', 'false', /true and manual/, false],
  ['a format of release 0.8', 'artifacts.taskrun.format: tekton-provenance', 'in-toto', /0\.9/, false],
  ['a format that is gone', 'artifacts.pipelinerun.format: slsa/v2alpha1', 'slsa/v2alpha3', /nearest/, true],
  ['a provider that is not here', 'storage.pubsub.provider: inmemory', '', /no such provider/, false],
  ['a trailing comma', 'artifacts.oci.storage: "oci, gcs,"', 'oci,gcs', /refuses/, true],
  ['a store that PipelineRuns never had', 'artifacts.pipelinerun.storage: kafka', 'tekton', /refuses/, true],
  ['a format in capitals', 'artifacts.taskrun.format: In-Toto', 'in-toto', /refuses/, true],
  ['an empty URL', 'transparency.url: ""', 'https://rekor.sigstore.dev', /means the same/, false],
  ['a line feed behind a name', 'storage.gcs.bucket: "builds\\n"', 'builds', /space/, false],
  ['a reference to no KMS', 'signers.kms.kmsref: k8s://ns/secret', '', /not allowed here/, true],
  [
    'a misspelt key',
    'artifacts.taskrun.fromat: slsa/v1',
    undefined,
    /did you mean artifacts\.taskrun\.format/,
    true,
  ],
  ['a key that nobody reads', 'my.own: note', undefined, /doesn't read/, false],
] as const) {
  test(`${title} is written as what it meant, with a comment`, async (context) => {
    const { out, err, object } = await migrated(context, configMap(`  ${line}\n`));
    const [key = ''] = line.split(': ');
    assert.equal(object.data[key], becomes);
    const comments = out
      .split('\n')
      .filter((one) => one.startsWith('  #'))
      .join('\n');
    assert.ok(comments.includes(`${becomes === undefined ? 'left out' : 'was'}: ${key}: "`), out);
    assert.match(comments, why);
    assert.equal(err.length, isOpen ? 1 : 0, err.join());
    assert.doesNotThrow(() => parseConfig(object.data));
    assert.deepEqual(parseConfig(object.data).warnings, []);
  });
}

test('a repository that another Chains ignores with bundles is ignored here too', async (context) => {
  const bundles =
    '  storage.oci.encoding-format: sigstore-bundle\n  storage.oci.repository: example.com/sigs\n';
  assert.equal((await migrated(context, configMap(bundles))).object.data['storage.oci.repository'], '');
  const tags = '  storage.oci.repository: example.com/sigs\n';
  const { object } = await migrated(context, configMap(tags));
  assert.equal(object.data['storage.oci.repository'], 'example.com/sigs');
});

test('what means the same in both is not touched', async (context) => {
  const data = {
    'artifacts.taskrun.format': 'tekton',
    'artifacts.taskrun.storage': ' tekton, oci ,tekton',
    'artifacts.oci.storage': 'kafka',
    'artifacts.oci.signer': 'none',
    'artifacts.pipelinerun.storage': '',
    'storage.gcs.bucket': '',
    'transparency.enabled': 'manual',
    'builder.id': '',
    _example: 'text',
  };
  const { object, err } = await migrated(context, JSON.stringify({ kind: 'ConfigMap', data }));
  assert.deepEqual([object.data, err], [data, []]);
});

test('JSON, bare data and the one ConfigMap of a list are taken too, and printed as YAML for kubectl apply', async (context) => {
  const object = { kind: 'ConfigMap', metadata: { name: 'chains-config', namespace: 'chains' }, data: {} };
  const other = { kind: 'ConfigMap', metadata: { name: 'kube-root-ca.crt' }, data: {} };
  for (const text of [
    JSON.stringify(object),
    JSON.stringify({ kind: 'ConfigMapList', items: [other, object] }, undefined, 2),
    `kind: ConfigMap\nmetadata: {name: other}\n---\n${configMap('  a: b\n')}`,
    'artifacts.oci.storage: oci\n',
  ]) {
    const { out, object: printed } = await migrated(context, text);
    assert.equal(printed.kind, 'ConfigMap');
    assert.equal(printed.metadata.name, 'chains-config');
    assert.match(out, /^data:\n/m);
    assert.equal(printed.data['artifacts.taskrun.format'], 'in-toto');
    assert.equal(parseDocument(out).errors.length, 0);
  }
});

test('a ConfigMap of another namespace keeps it, with a warning that the controller reads it in tekton-chains', async (context) => {
  const { object, err } = await migrated(
    context,
    configMap('  a.b: c\n').replace('namespace: tekton-chains', 'namespace: openshift-pipelines'),
  );
  assert.equal(object.metadata.namespace, 'openshift-pipelines');
  assert.match(err.join(), /^warning: .*openshift-pipelines.*SYSTEM_NAMESPACE/);
});

test('what is not the ConfigMap chains-config is one clear error', async (context) => {
  for (const [text, message] of [
    ['', /holds nothing, not the ConfigMap chains-config, which kubectl get configmap chains-config/],
    ['kind: Secret\nmetadata: {name: signing-secrets}\n', /holds Secret signing-secrets, not/],
    [
      'kind: ConfigMap\nmetadata: {name: config-observability}\n',
      /holds ConfigMap config-observability, not/,
    ],
    ['kind: ConfigMapList\nitems: []\n', /holds nothing/],
    [`${configMap('  a: b\n')}---\n${configMap('  a: b\n')}`, /holds 2 ConfigMaps chains-config/],
    ['kind: ConfigMap\nmetadata: {name: chains-config}\ndata: [a]\n', /data of the ConfigMap is not a map/],
    ['a: [\n', /old\.yaml is not YAML/],
  ] as const) {
    await assert.rejects(migrated(context, text), { code: 'USAGE', message }, text);
  }
});
