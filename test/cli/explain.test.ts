import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type ExplainArguments, runExplain } from '../../src/cli/commands/explain.ts';
import { explain } from '../../src/index.ts';
import { type Json, member } from '../../src/json.ts';
import { configOf, linesOf, objectsOf, textOf } from '../conformance/cases.ts';
import { digest } from '../runs.ts';
import { withStderr } from './stderr.ts';

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-explain-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Runs the command on these documents; what it printed, and its exit code. */
async function explained(
  context: TestContext,
  documents: readonly unknown[],
  options: Partial<ExplainArguments> = {},
): Promise<{ out: string; code: number }> {
  const folder = await folderFor(context);
  const file = join(folder, 'runs.jsonl');
  await writeFile(file, documents.map((one) => JSON.stringify(one)).join('\n'));
  let out = '';
  const defaults = { file: [file], systemNamespace: 'tekton-chains', output: 'text' } as const;
  const code = await runExplain([], { ...defaults, ...options }, (text) => (out += text));
  return { out, code };
}

test('-o json prints of every conformance case what the library says, children found by their names', async (context) => {
  const folder = await folderFor(context);
  let compared = 0;
  for (const line of linesOf('visible.jsonl')) {
    const input = {
      run: member(line, 'run'),
      taskRuns: objectsOf(member(line, 'taskRuns')),
      config: configOf(line),
    };
    const expected = await explain(input).catch(() => undefined);
    if (expected === undefined) continue;
    const config = join(folder, 'config.yaml');
    await writeFile(config, JSON.stringify({ kind: 'ConfigMap', data: input.config }));
    const { out, code } = await explained(context, [input.run, ...input.taskRuns], {
      config,
      output: 'json',
    });
    const [first = ''] = out.split('\n');
    assert.equal(out.split('\n').length, input.taskRuns.length + 2, textOf(line, 'id'));
    assert.deepEqual(JSON.parse(first), JSON.parse(JSON.stringify(expected)), textOf(line, 'id'));
    assert.equal(code, 0);
    compared++;
  }
  assert.ok(compared > 150);
});

const run = {
  apiVersion: 'tekton.dev/v1',
  kind: 'TaskRun',
  metadata: {
    namespace: 'ci',
    name: 'build',
    uid: 'uid-1',
    annotations: { 'chains.tekton.dev/retries': '2', 'chains.tekton.dev/message': 'the KMS is down' },
  },
  status: {
    conditions: [{ type: 'Succeeded', status: 'True' }],
    results: [
      { name: 'app-IMAGE_URL', value: 'gcr.io/acme/app' },
      { name: 'app-IMAGE_DIGEST', value: digest('a') },
      { name: 'other-IMAGE_URL', value: 'gcr.io/acme/other' },
      { name: 'image-digest', value: 'x' },
      { name: 'IMAGES', value: ['a', 'b'] },
    ],
  },
};

test('the text shows what the run is, what would happen, where each artifact comes from, what happened and what is wrong', async (context) => {
  const { out, code } = await explained(context, [run]);
  assert.equal(code, 0);
  for (const expected of [
    /^TaskRun ci\/build \(tekton\.dev\/v1, uid uid-1\)\n {2}sign: it is done and not signed yet\n/,
    /failed tries +2\n +message +the KMS is down\n/,
    /payload +tekton, \d+ bytes\n +signed with +x509\n +stored in +tekton \(key taskrun-uid-1\)/,
    /oci gcr\.io\/acme\/app@sha256:a+\n +named by +"app-IMAGE_URL" and "app-IMAGE_DIGEST" \(status\.results\[0\]\)/,
    /status\.results\[2\]\n +half a pair: "other-IMAGE_DIGEST" is missing; give both results a value/,
    /"image-digest" is not a type hint, so nothing is signed for it; if it is meant as one, let its\s+name\s+end\s+with IMAGE_DIGEST/,
    /"IMAGES" must be a string/,
  ]) {
    assert.match(out, expected);
  }
  for (const line of out.split('\n')) assert.ok(line.length <= 100, line);
});

test('the failed tries of a run that is signed are reported as history', async (context) => {
  const { metadata } = run;
  const annotations = { ...metadata.annotations, 'chains.tekton.dev/signed': 'true' };
  const { out } = await explained(context, [{ ...run, metadata: { ...metadata, annotations } }]);
  assert.match(out, /marked +true \(after 2 failed tries\)\n/);
  assert.doesNotMatch(out, /failed tries +2/);
});

test('nothing that a run holds reaches the terminal as a command', async (context) => {
  const evil = {
    ...run,
    metadata: {
      ...run.metadata,
      name: 'a\u001b[2Jb',
      annotations: { 'chains.tekton.dev/message': '\u001b]0;x\u0007' },
    },
  };
  const { out } = await explained(context, [evil]);
  assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f]/);
});

test('a document that is not a run is reported and the others are explained all the same', async (context) => {
  const { out, code } = await explained(context, [{ kind: 'Secret' }, run], { output: 'json' });
  assert.equal(code, 2);
  const lines: readonly Json[] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(lines.length, 1);
});

test('no run at all, no input, or a bad configuration is an error', async (context) => {
  await assert.rejects(explained(context, [{ kind: 'Secret' }]), {
    code: 'RUN_UNREADABLE',
    message: /runs\.jsonl \(Secret\)/,
  });
  await assert.rejects(explained(context, [run], { file: [] }), { code: 'USAGE' });
  const config = join(await folderFor(context), 'config.yaml');
  await writeFile(config, 'artifacts.taskrun.format: slsa\n');
  await assert.rejects(explained(context, [run], { config }), { code: 'CONFIG_INVALID' });
});

test('what a run will have no room for is foretold, and what fits is not', async () => {
  const config = { 'artifacts.taskrun.format': 'in-toto' };
  const withText = (length: number) => ({
    ...run,
    spec: { params: [{ name: 'text', value: 'x'.repeat(length) }] },
  });
  const told = async (length: number) =>
    (await explain({ run: withText(length), config })).problems.filter(
      ({ at }) => at === 'metadata.annotations',
    );
  assert.deepEqual(await told(1_000), []);
  const [problem] = await told(200_000);
  assert.match(problem?.message ?? '', /^tekton\.dev-v1-TaskRun-uid-1: \d+ bytes of annotations do not fit/);
  assert.match(problem?.message ?? '', /choose another store for artifacts\.taskrun\.storage/);
  const elsewhere = { ...config, 'artifacts.taskrun.storage': 'gcs' };
  const { problems } = await explain({ run: withText(200_000), config: elsewhere });
  assert.ok(problems.every(({ at }) => at !== 'metadata.annotations'));
});

test('of images with one digest it says under which key each is stored', async (context) => {
  const images = ['gcr.io', 'eu.gcr.io'].map((host) => `${host}/acme/app@${digest('a')}`);
  const regional = { ...run, status: { ...run.status, results: [{ name: 'IMAGES', value: images.join() }] } };
  const { out } = await explained(context, [regional]);
  assert.match(out, /\(key aaaaaaaaaaaa\)[^]*\(key aaaaaaaaaaaa-[0-9a-f]{32}\)/);
  const { artifacts } = await explain({ run: regional });
  assert.equal(artifacts[2]?.key, 'aaaaaaaaaaaa');
  assert.match(artifacts[2]?.storageKey ?? '', /^aaaaaaaaaaaa-[0-9a-f]{32}$/);
});

test("keys of --config that aren't known are warned about once, and stand in the JSON and in the library's answer", async (context) => {
  const config = join(await folderFor(context), 'config.yaml');
  await writeFile(config, 'artifacts.taskrun.fromat: in-toto\nartifacts.taskruns.storage: oci\n');
  const expected = [
    /did you mean artifacts\.taskrun\.format\?$/,
    /did you mean artifacts\.taskrun\.storage\?$/,
  ];
  const { result, err } = await withStderr(context, () =>
    explained(context, [run, run], { config, output: 'json' }),
  );
  const printed = JSON.parse(result.out.split('\n')[0] ?? '');
  const { problems } = await explain({
    run,
    config: { 'artifacts.taskrun.fromat': 'in-toto', 'artifacts.taskruns.storage': 'oci' },
  });
  assert.deepEqual(printed.problems, problems);
  for (const [index, pattern] of expected.entries()) {
    assert.match(err[index]?.trimEnd() ?? '', new RegExp(`^warning: chains-config: .*${pattern.source}`));
    assert.equal(problems[index]?.at, 'config');
    assert.match(problems[index]?.message ?? '', pattern);
  }
  assert.equal(err.length, 2);
});
