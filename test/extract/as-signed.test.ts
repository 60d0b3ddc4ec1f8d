import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asSigned, withoutUserInformation } from '../../src/extract/as-signed.ts';
import { explain } from '../../src/index.ts';
import { isJsonObject, type JsonObject } from '../../src/json.ts';
import { pipelineRun, taskRun } from '../runs.ts';

const shown = (text: string) => withoutUserInformation(text, () => {});

for (const [given, is] of [
  ['https://user:token@host/path', 'https://host/path'],
  ['https://token@host', 'https://host'],
  ['git+https://a:b@c@host/x', 'git+https://host/x'],
  ['see https://u:p@h/ and http://v:q@i/', 'see https://h/ and http://i/'],
  ['ssh://git@host/path', 'ssh://git@host/path'],
  ['git+ssh://git:word@host/path', 'git+ssh://git@host/path'],
  ['https://host/path@v1', 'https://host/path@v1'],
  ['https://host/?q=a@b', 'https://host/?q=a@b'],
  ['https://$(params.user):$(params.token)@host', 'https://$(params.user):$(params.token)@host'],
  ['docker://name@sha256:abc', 'docker://name@sha256:abc'],
  ['git@host:path', 'git@host:path'],
  ['a@b', 'a@b'],
] as const) {
  test(`${given} is shown as ${is}`, () => assert.equal(shown(given), is));
}

test('a megabyte of what looks like URLs takes linear time', () => {
  const started = process.cpuUsage();
  for (const text of ['://'.repeat(400_000), `x://${'@'.repeat(1_000_000)}`, 'a://b@'.repeat(200_000)])
    shown(text);
  assert.ok(process.cpuUsage(started).user < 10_000_000);
});

const secret = 'https://robot:t0ken@git.example.com/t/a.git';
const commit = '5f0c6d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d';
const hints = [
  { name: 'CHAINS-GIT_URL', value: secret },
  { name: 'CHAINS-GIT_COMMIT', value: commit },
  { name: 'x-ARTIFACT_URI', value: secret },
  { name: 'x-ARTIFACT_DIGEST', value: `sha1:${commit}` },
];

for (const format of ['tekton', 'in-toto', 'slsa/v2alpha3', 'slsa/v2alpha4'] as const) {
  test(`${format}: no payload holds user information, wherever it stands in the run, and it is reported`, async () => {
    const run = taskRun(
      {
        results: hints,
        provenance: { refSource: { uri: secret, digest: { sha1: commit } } },
        taskSpec: {
          params: [{ name: 'x', default: secret }],
          steps: [{ name: 's', script: `git clone ${secret}` }],
        },
        steps: [{ name: 's', imageID: 'gcr.io/a@sha256:ab', results: hints }],
      },
      {},
      { params: hints },
    );
    const { artifacts, problems } = await explain({
      run: run.object,
      config: { 'artifacts.taskrun.format': format },
    });
    const payload = JSON.stringify(artifacts);
    const contents = [...payload.matchAll(/"content":"([^"]+)"/g)].map(([, text = '']) => atob(text));
    assert.ok(!`${payload}${contents.join()}`.includes('t0ken'));
    assert.ok(problems.some(({ message }) => message.includes('user information')));
    assert.ok(!JSON.stringify(problems).includes('t0ken'));
  });
}

const marks = {
  'chains.tekton.dev/signed': 'true',
  'chains.tekton.dev/signed-uid': 'uid-1',
  'chains.tekton.dev/payload-pipelinerun-uid-1': 'e30=',
  'chains.tekton.dev/message': 'm',
};

test('what Chains wrote is left out, and everything else is kept', () => {
  const object: JsonObject = {
    metadata: {
      labels: { app: 'x', 'chains.tekton.dev/signed': 'true', 'chains.tekton.dev/reproducible': 'true' },
      annotations: { ...marks },
      finalizers: ['chains.tekton.dev/taskrun', 'other'],
      managedFields: [{ manager: 'tekton-chains-controller' }, { manager: 'kubectl' }],
    },
  };
  assert.deepEqual(
    asSigned(object, () => {}),
    {
      metadata: {
        labels: { app: 'x', 'chains.tekton.dev/reproducible': 'true' },
        finalizers: ['other'],
        managedFields: [{ manager: 'kubectl' }],
      },
    },
  );
  const plain = { metadata: { labels: { app: 'x' } }, spec: { a: [1, 'b'] } };
  assert.equal(
    asSigned(plain, () => {}),
    plain,
  );
});

for (const format of ['in-toto', 'slsa/v2alpha3', 'slsa/v2alpha4'] as const) {
  test(`${format}: signing again gives the same bytes, whichever mark is removed first`, async () => {
    const config = {
      'artifacts.pipelinerun.format': format,
      'builddefinition.buildtype': 'https://tekton.dev/chains/v2/slsa-tekton',
    };
    const payloadOf = async (metadata: JsonObject) => {
      const child = taskRun(
        { completionTime: '2026-01-01T10:00:00Z' },
        { ...metadata, labels: { 'tekton.dev/pipelineTask': 'a', ...Object(metadata['labels']) } },
      );
      const run = pipelineRun({ pipelineSpec: { tasks: [{ name: 'a' }] } }, metadata).object;
      const { artifacts } = await explain({ run, taskRuns: [child.object], config });
      return JSON.stringify(artifacts[0]?.payload);
    };
    const label = { 'chains.tekton.dev/signed': 'true' };
    const first = await payloadOf({});
    assert.ok(isJsonObject(JSON.parse(first)));
    assert.equal(await payloadOf({ labels: label, annotations: marks }), first);
    assert.equal(await payloadOf({ labels: label }), first);
    assert.equal(await payloadOf({ annotations: marks }), first);
  });
}
