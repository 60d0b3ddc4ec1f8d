import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, type Explanation } from '../../src/index.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import { digest, pipelineRun, taskRun, taskRunWith } from '../runs.ts';

const config = { 'artifacts.taskrun.format': 'in-toto', 'artifacts.pipelinerun.format': 'in-toto' };
const explained = (run: Json, taskRuns: readonly JsonObject[] = []) => explain({ run, taskRuns, config });
const messages = ({ problems }: Explanation) => problems.map(({ message }) => message).join('\n');
const images = ({ artifacts }: Explanation) =>
  artifacts.flatMap(({ kind, fullKey }) => (kind === 'oci' ? [fullKey] : []));

for (const imageID of ['', 'docker://sha256:ab', `sha256:${'a'.repeat(64)}`, 'gcr.io/tools/scan:1']) {
  test(`a step whose imageID is ${JSON.stringify(imageID)} loses its material, and nothing else`, async () => {
    const steps = [
      { name: 'build', imageID: `gcr.io/tools/build@${digest('b')}` },
      { name: 'scan', imageID },
    ];
    const child = {
      metadata: { name: 'a', namespace: 'ci', labels: { 'tekton.dev/pipelineTask': 'a' } },
      status: { startTime: '2026-01-01T10:00:00Z', completionTime: '2026-01-01T10:01:00Z', steps },
    };
    for (const explanation of [
      await explained(taskRun({ steps, sidecars: [{ name: 'x', imageID }] }).object),
      await explained(pipelineRun({ pipelineSpec: { tasks: [{ name: 'a' }] } }).object, [child]),
    ]) {
      const [own] = explanation.artifacts;
      assert.equal(own?.error, null);
      assert.match(JSON.stringify(own.payload), /"materials":\[\{"uri":"oci:\/\/gcr\.io\/tools\/build"/);
      assert.match(
        messages(explanation),
        /images of steps of TaskRun .* left out of the provenance \(scan\)/,
      );
    }
  });
}

const output = (members: JsonObject) =>
  taskRunWith([['app-ARTIFACT_OUTPUTS', { uri: 'quay.io/o/app', digest: digest('a'), ...members }]]).object;

for (const mark of ['true\n', ' true', 'true ']) {
  test(`isBuildArtifact ${JSON.stringify(mark)} is true, white space aside`, async () => {
    const explanation = await explained(output({ isBuildArtifact: mark }));
    assert.deepEqual(images(explanation), [`quay.io/o/app@${digest('a')}`]);
    assert.equal(messages(explanation), '');
  });
}

for (const mark of ['yes', '1', 'True', 'TRUE\n']) {
  test(`isBuildArtifact ${JSON.stringify(mark)} is ignored, and reported`, async () => {
    const explanation = await explained(output({ isBuildArtifact: mark }));
    assert.deepEqual(images(explanation), []);
    assert.match(messages(explanation), /is ignored; write "true"/);
  });
}

test('white space around a uri and a digest is not a part of them', async () => {
  const explanation = await explained(
    output({ uri: ' quay.io/o/app\n', digest: `${digest('a')}\n`, isBuildArtifact: 'true' }),
  );
  assert.deepEqual(images(explanation), [`quay.io/o/app@${digest('a')}`]);
  assert.match(JSON.stringify(explanation.artifacts[0]?.payload), /"subject":\[\{"name":"quay\.io\/o\/app"/);
});

test('an artifact that was never meant as an image is a subject, and is not reported', async () => {
  for (const members of [
    { uri: 'pkg:maven/org.example/app@1.0.0' },
    { uri: 'https://repo.example.com/app.jar' },
    { uri: 'app.jar', digest: `sha512:${'a'.repeat(128)}` },
  ]) {
    const explanation = await explained(output({ ...members, isBuildArtifact: 'true' }));
    assert.equal(messages(explanation), '', members.uri);
    assert.match(JSON.stringify(explanation.artifacts[0]?.payload), /"subject":\[/);
  }
  const upper = await explained(output({ uri: 'quay.io/O/app', isBuildArtifact: 'true' }));
  assert.match(messages(upper), /no image/);
});

for (const scheme of ['docker', 'oci']) {
  test(`${scheme}:// before an image's name is taken off, and reported`, async () => {
    const explanation = await explained(
      taskRunWith([
        ['IMAGE_URL', `${scheme}://quay.io/o/app:1`],
        ['IMAGE_DIGEST', digest('a')],
      ]).object,
    );
    assert.deepEqual(images(explanation), [`quay.io/o/app@${digest('a')}`]);
    assert.match(messages(explanation), /is read as "quay\.io\/o\/app@sha256/);
  });
}

test('what only the results of a step name is reported, since it is not used', async () => {
  const results = [
    { name: 'IMAGE_URL', value: 'quay.io/o/app' },
    { name: 'IMAGE_DIGEST', value: digest('a') },
  ];
  const steps = [{ name: 'build', imageID: `gcr.io/tools/build@${digest('b')}`, results }];
  const run = taskRun({ steps }).object;
  assert.match(messages(await explained(run)), /are used only in the format slsa\/v2alpha4/);
  const deep = await explain({ run, config: { 'artifacts.taskrun.format': 'slsa/v2alpha4' } });
  assert.match(messages(deep), /their images are not signed/);
  assert.equal(messages(await explained(taskRun({ steps, results }).object)), '');
});

test('the TaskRuns of an embedded status that are not there are reported', async () => {
  const status = {
    pipelineSpec: { tasks: [{ name: 'build' }] },
    taskRuns: { 'emb-build': { pipelineTaskName: 'build', status: {} } },
    runs: { 'emb-wait': { pipelineTaskName: 'wait' } },
  };
  const explanation = await explained(pipelineRun(status).object);
  assert.match(messages(explanation), /TaskRun "emb-build" is left out of the provenance: it is gone/);
  assert.match(messages(explanation), /Run "emb-wait" is left out of the provenance: it is not a TaskRun/);
});
