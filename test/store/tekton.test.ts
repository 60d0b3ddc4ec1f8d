import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { extract } from '../../src/extract/index.ts';
import type { Artifact } from '../../src/model/artifact.ts';
import type { Run } from '../../src/model/run.ts';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { stores } from '../../src/store/index.ts';
import { digest, pipelineRun, taskRunWith } from '../runs.ts';

const { config } = parseConfig({});
const store = await (await stores.tekton())(config);

function signed(run: Run, kind: Artifact['kind'], format: string): SignedArtifact {
  const artifact = extract(run).artifacts.find((one) => one.kind === kind);
  assert.ok(artifact);
  return {
    artifact,
    payload: { bytes: Buffer.from('payload'), format },
    signature: { bytes: Buffer.from([0xfb, 0xff]), key: { publicKey: '', keyId: '' } },
  };
}

const keysOf = (annotations: Readonly<Record<string, string>>) => Object.keys(annotations).toSorted();
const run = taskRunWith([['IMAGES', `gcr.io/acme/app@${digest('a')}`]]);

test('a TaskRun in the format tekton is stored under taskrun, in padded standard base64', async () => {
  assert.deepEqual(await store.store(signed(run, 'taskrun', 'tekton')), {
    'chains.tekton.dev/payload-taskrun': 'cGF5bG9hZA==',
    'chains.tekton.dev/signature-taskrun': '+/8=',
  });
});

for (const [name, entry, key] of [
  ['a TaskRun in another format', signed(run, 'taskrun', 'in-toto'), 'taskrun-uid-1'],
  [
    'a PipelineRun in the format tekton',
    signed(pipelineRun({}), 'pipelinerun', 'tekton'),
    'pipelinerun-uid-1',
  ],
  ['an image', signed(run, 'oci', 'simplesigning'), 'aaaaaaaaaaaa'],
  ['an image in the format tekton', signed(run, 'oci', 'tekton'), 'aaaaaaaaaaaa'],
] as const) {
  test(`${name} is stored under ${key}`, async () => {
    assert.deepEqual(keysOf(await store.store(entry)), [
      `chains.tekton.dev/payload-${key}`,
      `chains.tekton.dev/signature-${key}`,
    ]);
  });
}

test('a certificate and its chain are stored too, where there are any', async () => {
  const { artifact, payload, signature } = signed(run, 'oci', 'simplesigning');
  const certified = { ...signature, certificate: 'CERT', chain: 'CHAIN' };
  const annotations = await store.store({ artifact, payload, signature: certified });
  assert.equal(annotations['chains.tekton.dev/cert-aaaaaaaaaaaa'], btoa('CERT'));
  assert.equal(annotations['chains.tekton.dev/chain-aaaaaaaaaaaa'], btoa('CHAIN'));
});

for (const name of ['gcs', 'docdb'] as const) {
  test(`the store ${name} is not built yet, and says so with its keys`, async () => {
    await assert.rejects(stores[name](), {
      code: 'BACKEND_NOT_BUILT',
      message: new RegExp(`artifacts\\.oci\\.storage: \`${name}\``),
    });
  });
}
