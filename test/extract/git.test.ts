import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/index.ts';
import type { Json } from '../../src/json.ts';
import { pipelineRun, taskRun } from '../runs.ts';

const commit = '5f0c6d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d';
const url = 'https://git.example.com/t/a';

/** The materials and the problems of a TaskRun with these results. */
async function explained(results: Readonly<Record<string, string>>) {
  const list = Object.entries(results).map(([name, value]) => ({ name, value }));
  return outcomeOf(taskRun({ results: list }).object);
}

async function outcomeOf(run: Json) {
  const config = { 'artifacts.taskrun.format': 'in-toto', 'artifacts.pipelinerun.format': 'in-toto' };
  const { artifacts, problems } = await explain({ run, config });
  const payload = JSON.parse(JSON.stringify(artifacts[0]?.payload ?? null));
  return { materials: payload?.predicate?.materials, problems: problems.map(({ message }) => message) };
}

test('white space around url and commit is not a part of them, and nothing is reported', async () => {
  const { materials, problems } = await explained({
    'CHAINS-GIT_URL': ` ${url}\n`,
    'CHAINS-GIT_COMMIT': `${commit}\n`,
  });
  assert.deepEqual(materials, [{ uri: `git+${url}.git`, digest: { sha1: commit } }]);
  assert.deepEqual(problems, []);
});

for (const [name, results, reason] of [
  ['a commit without url', { 'CHAINS-GIT_COMMIT': commit }, /half a pair: "CHAINS-GIT_URL" is missing/],
  ['a url without commit', { 'CHAINS-GIT_URL': url }, /half a pair: "CHAINS-GIT_COMMIT" is missing/],
  [
    'an empty commit',
    { 'CHAINS-GIT_URL': url, 'CHAINS-GIT_COMMIT': ' \n' },
    /half a pair: "CHAINS-GIT_COMMIT" is empty/,
  ],
  ['a branch', { 'CHAINS-GIT_URL': url, 'CHAINS-GIT_COMMIT': 'main' }, /"main", which is not a commit's id/],
  ['a tag', { 'CHAINS-GIT_URL': url, 'CHAINS-GIT_COMMIT': 'v1.2.3' }, /perhaps a branch or tag/],
  ['a short id', { 'CHAINS-GIT_URL': url, 'CHAINS-GIT_COMMIT': '5f0c6d7' }, /a shortened id/],
  [
    'an id of SHA-256',
    { 'CHAINS-GIT_URL': url, 'CHAINS-GIT_COMMIT': 'a'.repeat(64) },
    /a repository with SHA-256/,
  ],
  [
    'a commit with a line feed inside',
    { 'CHAINS-GIT_URL': url, 'CHAINS-GIT_COMMIT': `${commit}\nx` },
    /not a commit's id/,
  ],
  [
    'a url with a blank inside',
    { 'CHAINS-GIT_URL': `${url} x`, 'CHAINS-GIT_COMMIT': commit },
    /white space inside/,
  ],
  [
    'a url that is none',
    { 'CHAINS-GIT_URL': 'git.example.com/t/a', 'CHAINS-GIT_COMMIT': commit },
    /not a URL; write it as https/,
  ],
] as const) {
  test(`${name} names no source, and is reported`, async () => {
    const { materials, problems } = await explained(results);
    assert.equal(materials, undefined);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', reason);
  });
}

test('an address for SSH and a slash at the end are recorded as they are, and reported', async () => {
  for (const [given, uri] of [
    ['git@git.example.com:t/a.git', 'git+git@git.example.com:t/a.git'],
    [`${url}/`, `git+${url}/.git`],
  ] as const) {
    const { materials, problems } = await explained({ 'CHAINS-GIT_URL': given, 'CHAINS-GIT_COMMIT': commit });
    assert.deepEqual(materials, [{ uri, digest: { sha1: commit } }]);
    assert.equal(problems.length, 1);
  }
});

test('params, their defaults and the results of PipelineRuns are checked alike', async () => {
  const params = [
    { name: 'CHAINS-GIT_URL', value: url },
    { name: 'CHAINS-GIT_COMMIT', value: 'main' },
  ];
  const ofTask = await outcomeOf(taskRun({}, {}, { params }).object);
  assert.match(ofTask.problems.join(), /"main", which is not a commit's id/);
  const ofPipeline = await outcomeOf({ ...pipelineRun({ results: params }).object });
  assert.match(ofPipeline.problems.join(), /"main", which is not a commit's id/);
  assert.equal(ofPipeline.materials, undefined);
  const defaults = [{ name: 'CHAINS-GIT_COMMIT', default: commit }];
  const { problems } = await outcomeOf(taskRun({ taskSpec: { params: defaults } }).object);
  assert.match(problems.join(), /half a pair/);
});

test('what git-clone names url and commit is reported where nothing else names the source', async () => {
  assert.match((await explained({ url, commit })).problems.join(), /are not type hints/);
  const all = { url, commit, 'CHAINS-GIT_URL': url, 'CHAINS-GIT_COMMIT': commit };
  assert.deepEqual((await explained(all)).problems, []);
});
