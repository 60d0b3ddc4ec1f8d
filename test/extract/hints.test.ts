import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from '../../src/extract/index.ts';
import type { Json } from '../../src/json.ts';
import type { Run } from '../../src/model/run.ts';
import { digest, pipelineRun, taskRun, taskRunWith } from '../runs.ts';

const imagesOf = (run: Run) =>
  extract(run)
    .artifacts.filter((artifact) => artifact.kind === 'oci')
    .map((artifact) => artifact.fullKey);

test('the run itself comes first, then its images, each with the field that names it', () => {
  const run = taskRunWith([
    ['IMAGE_URL', 'gcr.io/acme/app:v1'],
    ['IMAGE_DIGEST', digest('a')],
  ]);
  const [own, image] = extract(run).artifacts;
  assert.deepEqual(
    [own?.kind, own?.key, own?.fullKey],
    ['taskrun', 'taskrun-uid-1', 'tekton.dev-v1-TaskRun-uid-1'],
  );
  assert.deepEqual(image, {
    kind: 'oci',
    run,
    key: 'aaaaaaaaaaaa',
    fullKey: `gcr.io/acme/app@${digest('a')}`,
    image: { repository: 'gcr.io/acme/app', digest: digest('a') },
    source: 'status.results[0]',
    names: '"IMAGE_URL" and "IMAGE_DIGEST"',
  });
});

test('a PipelineRun has no images, whatever its results say', () => {
  const run = pipelineRun({ results: [{ name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` }] });
  const { artifacts, problems } = extract(run);
  assert.deepEqual(
    artifacts.map(({ kind, key, fullKey }) => ({ kind, key, fullKey })),
    [
      {
        kind: 'pipelinerun',
        key: 'pipelinerun-uid-1',
        fullKey: 'tekton.dev-v1-PipelineRun-uid-1',
      },
    ],
  );
  assert.deepEqual(problems, []);
});

test('images come in the order pairs, IMAGES, build artifacts, PipelineResources, and each once', () => {
  const run = taskRun({
    results: [
      {
        name: 'x-ARTIFACT_OUTPUTS',
        value: { uri: 'gcr.io/acme/built', digest: digest('c'), isBuildArtifact: 'true' },
      },
      { name: 'IMAGES', value: `gcr.io/acme/listed@${digest('b')}\n, nginx@${digest('a')}` },
      { name: 'y-IMAGE_DIGEST', value: `${digest('a')}\n` },
      { name: 'y-IMAGE_URL', value: 'docker.io/library/nginx:1' },
    ],
    taskSpec: { resources: { outputs: [{ name: 'out', type: 'image' }] } },
    resourcesResult: [
      { resourceName: 'out', key: 'url', value: 'gcr.io/acme/resource' },
      { resourceName: 'out', key: 'digest', value: digest('d') },
    ],
  });
  assert.deepEqual(imagesOf(run), [
    `index.docker.io/library/nginx@${digest('a')}`,
    `gcr.io/acme/listed@${digest('b')}`,
    `gcr.io/acme/built@${digest('c')}`,
    `gcr.io/acme/resource@${digest('d')}`,
  ]);
  assert.deepEqual(extract(run).problems, []);
});

test('an image that is named twice has the first place as its source', () => {
  const name = `gcr.io/acme/app@${digest('a')}`;
  const run = taskRunWith([
    ['other', 'x'],
    ['IMAGES', `${name},${name}`],
    ['IMAGES', name],
  ]);
  const sources = extract(run).artifacts.flatMap((one) => (one.kind === 'oci' ? [one.source] : []));
  assert.deepEqual(sources, ['status.results[1]']);
});

test('taskResults are read where results is absent or null, under any apiVersion', () => {
  const taskResults = [{ name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` }];
  assert.equal(imagesOf(taskRun({ taskResults })).length, 1);
  assert.equal(imagesOf(taskRun({ results: null, taskResults })).length, 1);
  assert.equal(imagesOf(taskRun({ results: [], taskResults })).length, 0);
});

/** Results, and where and what the one problem is. */
const malformed: readonly (readonly [string, readonly (readonly [string, Json])[], string, RegExp])[] = [
  ['a lone URL', [['a-IMAGE_URL', 'gcr.io/a/b']], 'status.results[0]', /"a-IMAGE_DIGEST" is missing/],
  ['a lone digest', [['IMAGE_DIGEST', digest('a')]], 'status.results[0]', /"IMAGE_URL" is missing/],
  [
    'an empty half',
    [
      ['IMAGE_URL', ' \n'],
      ['IMAGE_DIGEST', digest('a')],
    ],
    'status.results[1]',
    /"IMAGE_URL" is empty/,
  ],
  [
    'a bad digest',
    [
      ['IMAGE_URL', 'gcr.io/a/b'],
      ['IMAGE_DIGEST', 'sha256:abc'],
    ],
    'status.results[1].value',
    /"sha256:abc"; it must be sha256: and exactly 64/,
  ],
  [
    'a bad name',
    [
      ['IMAGE_URL', 'gcr.io/Acme/app'],
      ['IMAGE_DIGEST', digest('a')],
    ],
    'status.results[0].value',
    /"gcr.io\/Acme\/app", whose repository may only have lower-case/,
  ],
  [
    'an array',
    [
      ['IMAGE_URL', ['gcr.io/a/b']],
      ['IMAGE_DIGEST', digest('a')],
    ],
    'status.results[0].value',
    /"IMAGE_URL" is an array.*type string/,
  ],
  ['an object', [['IMAGE_DIGEST', {}]], 'status.results[0].value', /"IMAGE_DIGEST" is an object/],
  ['an entry without digest', [['IMAGES', 'gcr.io/a/b:1']], 'status.results[0].value', /has no digest/],
  ['IMAGES as an array', [['IMAGES', ['a']]], 'status.results[0].value', /must be a string/],
  ['a lone artifact URI', [['ARTIFACT_URI', 'a']], 'status.results[0]', /"ARTIFACT_DIGEST" is missing/],
  ['a text as structure', [['ARTIFACT_OUTPUTS', 'a']], 'status.results[0].value', /not an object of strings/],
  [
    'a structure with half',
    [['ARTIFACT_INPUTS', { uri: 'a' }]],
    'status.results[0].value',
    /has no digest; give it a uri and a digest/,
  ],
  [
    'True for true',
    [['ARTIFACT_OUTPUTS', { uri: 'ab', digest: digest('a'), isBuildArtifact: 'True' }]],
    'status.results[0].value',
    /isBuildArtifact "True".*write "true"/,
  ],
  ['IMAGES_URL', [['app-IMAGES_URL', 'a']], 'status.results[0].name', /end with IMAGE_URL/],
  ['image-digest', [['image-digest', 'a']], 'status.results[0].name', /end with IMAGE_DIGEST/],
  ['IMAGE_URI', [['IMAGE_URI', 'a']], 'status.results[0].name', /end with IMAGE_URL/],
  ['imageUrl', [['imageUrl', 'a']], 'status.results[0].name', /end with IMAGE_URL/],
  ['images', [['images', 'a']], 'status.results[0].name', /end with IMAGES/],
];

for (const [name, results, at, message] of malformed) {
  test(`a malformed hint signs nothing and is reported where it stands: ${name}`, () => {
    const run = taskRunWith(results);
    assert.deepEqual(imagesOf(run), []);
    const { problems } = extract(run);
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.equal(problems[0]?.at, at);
    assert.match(problems[0]?.message ?? '', message);
  });
}

test("a malformed hint doesn't keep the others from being signed", () => {
  const run = taskRunWith([
    ['IMAGES', `bad,gcr.io/acme/app@${digest('a')}`],
    ['x-IMAGE_URL', 'gcr.io/acme/half'],
  ]);
  assert.deepEqual(imagesOf(run), [`gcr.io/acme/app@${digest('a')}`]);
  assert.equal(extract(run).problems.length, 2);
});

test('names that do not resemble hints are not problems', () => {
  const run = taskRunWith([
    ['MY_IMAGES', 'a'],
    ['BASE_IMAGES_DIGESTS', 'a'],
    ['constructor', 'a'],
    ['__proto__', 'a'],
  ]);
  assert.deepEqual(extract(run).problems, []);
});

test('a resource with half of its values is a problem, one without any is not', () => {
  const run = taskRun({
    taskSpec: {
      resources: {
        outputs: [
          { name: 'half', type: 'image' },
          { name: 'never', type: 'image' },
        ],
      },
    },
    resourcesResult: [{ resourceName: 'half', key: 'url', value: 'gcr.io/acme/app' }],
  });
  const { problems } = extract(run);
  assert.deepEqual(
    problems.map(({ at }) => at),
    ['status.resourcesResult[0]'],
  );
  assert.match(problems[0]?.message ?? '', /"half" of type image has no digest/);
});
