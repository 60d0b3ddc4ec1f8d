import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, verify } from '../../src/index.ts';
import { type JsonObject, member, parseJson } from '../../src/json.ts';
import { parseRun } from '../../src/model/run.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { startRegistry } from '../../sandbox/registry/index.ts';
import { verifyImage } from '../../src/verify/image.ts';
import type { Expectations } from '../../src/verify/provenance.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { verifyStores } from '../../src/verify/stores.ts';
import { digest, pipelineRun, taskRun } from '../runs.ts';
import { assertSigned, newKey, openSigning, RepositoryView, signRunOf } from '../store/oci/world.ts';
import { failuresOf, marked, storedAs, verifiedWith } from './remade.ts';

const demands: readonly Expectations[] = [
  { builderId: 'https://tekton.dev/chains/v2' },
  { sourceUri: 'https://github.com/acme/app' },
  { sourceDigest: `sha1:${'0'.repeat(40)}` },
  { buildType: 'https://tekton.dev/chains/v2/slsa' },
  { require: 'slsa-v1' },
];

const built = taskRun({
  conditions: [{ type: 'Succeeded', status: 'True' }],
  startTime: '2026-01-01T10:00:00Z',
  completionTime: '2026-01-01T10:05:00Z',
  results: [{ name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` }],
});

test('a status meets no demand, since it is not a provenance', async () => {
  for (const expected of demands) {
    const verification = await verifiedWith(built, member(built.object, 'status') ?? null, [], expected);
    assert.deepEqual(failuresOf(verification), [
      'provenance: there is no provenance that could say what is expected of it',
    ]);
    assert.equal(verification.verified, false);
  }
});

test('the statement of an image in a Sigstore bundle meets no demand, in a store or of an image', async (t) => {
  const key = newKey();
  const registry = await startRegistry();
  t.after(() => registry.close());
  const image = await new RepositoryView(registry, 'acme/app').pushImage('an image');
  const data = {
    'artifacts.taskrun.format': 'tekton',
    'artifacts.taskrun.storage': 'tekton',
    'artifacts.oci.storage': 'oci',
    'storage.oci.encoding-format': 'sigstore-bundle',
  };
  const pipeline = openSigning(key.privateKey, data);
  const { config } = parseConfig(data);
  const outcome = await signRunOf(pipeline, image);
  await pipeline.close();
  assertSigned(outcome);
  const run = taskRun({ results: [{ name: 'IMAGES', value: image }] });
  const keys = await readKeys([key.publicKey]);
  const annotated = marked(run, outcome.annotations);
  const wholly = { keys, expected: {}, config, stores: ['tekton', 'oci'], strict: false } as const;
  assert.ok((await verifyStores({ run: annotated, taskRuns: [] }, wholly)).verification.verified);
  for (const expected of demands) {
    const options = { keys, expected, config, stores: ['tekton', 'oci'], strict: false } as const;
    const { verification } = await verifyStores({ run: annotated, taskRuns: [] }, options);
    assert.equal(verification.verified, false, JSON.stringify(expected));
    const ofImage = await verifyImage(image, config, { keys, expected });
    assert.equal(ofImage.verification.verified, false, JSON.stringify(expected));
  }
});

test("the signature of an image proves nothing of a run whose own store can't be read back", async (t) => {
  const key = newKey();
  const registry = await startRegistry();
  t.after(() => registry.close());
  const image = await new RepositoryView(registry, 'acme/app').pushImage('an image');
  const pipeline = openSigning(key.privateKey, { 'artifacts.taskrun.storage': '' });
  assertSigned(await signRunOf(pipeline, image));
  await pipeline.close();
  const { config } = parseConfig({ 'artifacts.taskrun.storage': 'pubsub', 'artifacts.oci.storage': 'oci' });
  const options = { keys: await readKeys([key.publicKey]), expected: {}, config, strict: false };
  const run = taskRun({ results: [{ name: 'IMAGES', value: image }] });
  const { verification, leftOut } = await verifyStores(
    { run, taskRuns: [] },
    { ...options, stores: ['pubsub', 'oci'] },
  );
  assert.deepEqual(failuresOf(verification), [
    "pubsub stored: what was published is with its consumers, and can't be read back",
  ]);
  assert.deepEqual(leftOut, []);
  assert.ok(verification.checks.some(({ name, ok }) => ok && name.endsWith(' image')));
});

test('provenance of one run does not verify under another one of the same second', async () => {
  const status = (param: string) => ({
    conditions: [{ type: 'Succeeded', status: 'True' }],
    startTime: '2026-01-01T10:00:00Z',
    completionTime: '2026-01-01T10:05:00Z',
    taskSpec: { params: [{ name: 'ref', default: param }] },
  });
  const [one, other] = [taskRun(status('main')), taskRun(status('evil'), { uid: 'uid-2' })];
  const { artifacts } = await explain({ run: one.object, config: { 'artifacts.taskrun.format': 'in-toto' } });
  const verification = await verifiedWith(other, artifacts[0]?.payload ?? null);
  assert.deepEqual(failuresOf(verification), [
    'taskrun-uid-2 content: the payload is not what this TaskRun says: predicate.invocation.parameters.ref is "main", but the run says "evil"',
  ]);
});

test("a PipelineRun's own image result can't be changed after it was signed", async () => {
  const status = (image: string) => ({
    conditions: [{ type: 'Succeeded', status: 'True' }],
    results: [
      { name: 'IMAGE_URL', value: 'gcr.io/acme/app' },
      { name: 'IMAGE_DIGEST', value: image },
    ],
  });
  const { artifacts } = await explain({ run: pipelineRun(status(digest('a'))).object });
  const payload = artifacts[0]?.payload ?? null;
  assert.ok((await verifiedWith(pipelineRun(status(digest('a'))), payload)).verified);
  const changed = await verifiedWith(pipelineRun(status(digest('b'))), payload);
  assert.match(
    failuresOf(changed).join(),
    /subject\[0\]\.digest\.sha256 is "a{64}", but the run says "b{64}"/,
  );
});

test('labels and annotations that changed after signing are reported, and no failure', async () => {
  const signed = taskRun({}, { labels: { team: 'a' } });
  const { artifacts } = await explain({
    run: signed.object,
    config: { 'artifacts.taskrun.format': 'slsa/v1' },
  });
  const later = taskRun({}, { labels: { team: 'b', cost: '1' } });
  const verification = await verifiedWith(later, artifacts[0]?.payload ?? null);
  assert.deepEqual(failuresOf(verification), []);
  assert.deepEqual(verification.notes, [
    'taskrun-uid-1: changed since it was signed, which labels, annotations and versions may: predicate.invocation.environment.labels.team, predicate.invocation.environment.labels.cost',
  ]);
});

test('what TaskRuns that are gone added is not compared, and named; the rest is', async () => {
  const child = (name: string) => ({
    metadata: { name, namespace: 'ci', labels: { 'tekton.dev/pipelineTask': name } },
    status: {
      startTime: '2026-01-01T10:00:00Z',
      completionTime: '2026-01-01T10:01:00Z',
      taskSpec: { steps: [{ name: 's' }] },
      steps: [{ name: 's', imageID: `gcr.io/${name}@${digest('b')}` }],
    },
  });
  const run = (param: string) =>
    pipelineRun({
      pipelineSpec: {
        params: [{ name: 'p', default: param }],
        tasks: [
          { name: 'one', taskRef: { name: 'x' } },
          { name: 'two', taskRef: { name: 'x' } },
        ],
      },
      childReferences: ['one', 'two'].map((name) => ({ kind: 'TaskRun', name, pipelineTaskName: name })),
    });
  const { artifacts } = await explain({ run: run('a').object, taskRuns: [child('one'), child('two')] });
  const payload = artifacts[0]?.payload ?? null;
  const partly = await verifiedWith(run('a'), payload, [child('one')]);
  assert.deepEqual(failuresOf(partly), []);
  assert.match(
    partly.notes.join(),
    /not there \(two\): predicate\.buildConfig\.tasks\[1\], predicate\.materials\[1\]/,
  );
  const changedChild = {
    ...child('one'),
    status: { ...child('one').status, steps: [{ name: 's', imageID: `gcr.io/one@${digest('c')}` }] },
  };
  assert.equal((await verifiedWith(run('a'), payload, [changedChild])).verified, false);
  assert.equal((await verifiedWith(run('b'), payload, [child('one')])).verified, false);
});

test('a source that a TaskRun which is gone named first may have its name, which is reported', async () => {
  const uri = 'https://github.com/acme/tasks';
  const sha1 = '1'.repeat(40);
  const child: JsonObject = {
    metadata: { name: 'one', namespace: 'ci', labels: { 'tekton.dev/pipelineTask': 'one' } },
    status: {
      completionTime: '2026-01-01T10:01:00Z',
      provenance: { refSource: { uri, digest: { sha1 } } },
    },
  };
  const { object: run } = pipelineRun({
    results: [{ name: 'TASKS_ARTIFACT_INPUTS', value: { uri, digest: `sha1:${sha1}` } }],
    pipelineSpec: { tasks: [{ name: 'one', taskRef: { name: 'x' } }] },
    childReferences: [{ kind: 'TaskRun', name: 'one', pipelineTaskName: 'one' }],
  });
  const config = { 'artifacts.pipelinerun.format': 'slsa/v2alpha4' };
  const { artifacts } = await explain({ run, taskRuns: [child], config });
  const verification = await verifiedWith(parseRun(run), artifacts[0]?.payload ?? null);
  assert.deepEqual(failuresOf(verification), []);
  assert.match(
    verification.notes.join(),
    /may be named after TaskRuns that are not there \(one\): predicate\.buildDefinition\.resolvedDependencies\[0\]\.name/,
  );
});

test('a child that another Chains wrote whole, with user information in a URL, verifies', async () => {
  const child = (url: string): JsonObject => ({
    metadata: { name: 'one', namespace: 'ci', labels: { 'tekton.dev/pipelineTask': 'one' } },
    spec: { params: [{ name: 'url', value: url }] },
    status: { completionTime: '2026-01-01T10:01:00Z' },
  });
  const { object: run } = pipelineRun({
    pipelineSpec: { tasks: [{ name: 'one', taskRef: { name: 'x' } }] },
    childReferences: [{ kind: 'TaskRun', name: 'one', pipelineTaskName: 'one' }],
  });
  const [shown, hidden] = [child('https://me:secret@github.com/acme'), child('https://github.com/acme')];
  const config = {
    'artifacts.pipelinerun.format': 'slsa/v2alpha4',
    'builddefinition.buildtype': 'https://tekton.dev/chains/v2/slsa-tekton',
  };
  const { artifacts } = await explain({ run, taskRuns: [hidden], config });
  const text = JSON.stringify(artifacts[0]?.payload);
  const [, content = ''] = /"content":"([^"]+)"/.exec(text) ?? [];
  const plain = Buffer.from(content, 'base64').toString();
  const theirs = Buffer.from(plain.replace('https://', 'https://me:secret@')).toString('base64');
  assert.match(plain, /"url","value":"https:/);
  const verification = await verifiedWith(parseRun(run), parseJson(text.replace(content, theirs)), [shown]);
  assert.deepEqual(failuresOf(verification), []);
});

test('an image that the annotations must have is missed when it is gone', async () => {
  const status = member(built.object, 'status') ?? null;
  const signed = marked(built, storedAs('taskrun', status));
  const keys = await readKeys([newKey().publicKey]);
  const options = { keys, expected: {}, stores: ['tekton'], strict: false } as const;
  const failed = async (storage: string) => {
    const { config } = parseConfig({ 'artifacts.oci.storage': storage });
    const { verification } = await verifyStores({ run: signed, taskRuns: [] }, { ...options, config });
    return verification.checks.filter(({ ok }) => !ok).map(({ name }) => name);
  };
  assert.ok((await failed('tekton')).includes('aaaaaaaaaaaa stored'));
  assert.ok(!(await failed('oci')).includes('aaaaaaaaaaaa stored'));
  assert.ok(!(await failed('')).includes('aaaaaaaaaaaa stored'));
});

test('the library says which images it did not look at', async () => {
  const signed = marked(built, storedAs('taskrun', member(built.object, 'status') ?? null));
  const { notes } = await verify({ run: signed.object, keys: [newKey().publicKey] });
  assert.match(notes.join(), /"gcr\.io\/acme\/app@sha256:a+….*not verified here/);
});
