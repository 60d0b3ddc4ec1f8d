import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from '../../src/extract/index.ts';
import type { Json } from '../../src/json.ts';
import { digest, taskRun, taskRunWith } from '../runs.ts';

/** Statuses, and the field that makes them unreadable. */
const wrong: readonly (readonly [Json, string])[] = [
  [[], 'status'],
  [{ results: {} }, 'status.results'],
  [{ results: ['x'] }, 'status.results[0]'],
  [{ results: [{ name: 5 }] }, 'status.results[0].name'],
  // A field of v1beta1 goes by its name in v1.
  [{ taskResults: 'x' }, 'status.results'],
  [{ taskSpec: [] }, 'status.taskSpec'],
  [{ taskSpec: { resources: 1 } }, 'status.taskSpec.resources'],
  [{ taskSpec: { resources: { outputs: {} } } }, 'status.taskSpec.resources.outputs'],
  [{ taskSpec: { resources: { outputs: [{ type: true }] } } }, 'status.taskSpec.resources.outputs[0].type'],
  [{ resourcesResult: [{ value: [] }] }, 'status.resourcesResult[0].value'],
];

for (const [status, at] of wrong) {
  test(`a wrong type makes the run unreadable and names the field; the run itself stays: ${at}`, () => {
    const { artifacts, unreadable } = extract(taskRun(status));
    assert.deepEqual(
      artifacts.map(({ kind }) => kind),
      ['taskrun'],
    );
    assert.equal(unreadable?.code, 'RUN_UNREADABLE');
    assert.ok(unreadable?.message.startsWith(`${at} is not a`), unreadable?.message);
  });
}

test('null is the same as absent, and a run without status has no images', () => {
  const nothing = taskRun({ results: [null], taskSpec: null, resourcesResult: null });
  for (const run of [nothing, taskRun(undefined), taskRun(null)]) {
    const { artifacts, problems, unreadable } = extract(run);
    assert.deepEqual([artifacts.length, problems.length, unreadable], [1, 0, undefined]);
  }
});

test('a value nested too deeply makes the run unreadable instead of crashing', () => {
  const deep: Json = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
  assert.match(extract(taskRunWith([['IMAGE_URL', deep]])).unreadable?.message ?? '', /nests too deeply/);
});

/** Texts of two megabytes that a careless pattern or search takes minutes for. */
const megabytes = 2_000_000;
const huge: readonly (readonly [string, string])[] = [
  ['IMAGE_URL', `${' '.repeat(megabytes)}x`],
  ['IMAGE_DIGEST', `x${'\n'.repeat(megabytes)}x`],
  ['IMAGES', 'x,'.repeat(megabytes / 2)],
  ['IMAGES', `${'a/'.repeat(megabytes / 2)}@${digest('a')}`],
  ['IMAGES', `${':'.repeat(megabytes)}@${digest('a')}`],
  [`${'x'.repeat(megabytes)}IMAGE_URL`, 'a'],
  [`image${'-'.repeat(megabytes)}digest`, 'a'],
];

test('huge texts take linear time and give short messages', () => {
  const started = process.cpuUsage();
  for (const [name, value] of huge) {
    const { problems } = extract(taskRunWith([[name, value]]));
    assert.ok(problems.length <= 101);
    for (const { message } of problems) assert.ok(message.length < 500, `${message.length}`);
  }
  const { user, system } = process.cpuUsage(started);
  // Quadratic work on two million characters takes hours; this takes about a second.
  assert.ok(user + system < 60_000_000, `${user + system} µs`);
});

test('problems are reported one by one up to a limit, then only their number', () => {
  const { problems } = extract(taskRunWith([['IMAGES', 'x,'.repeat(5_000)]]));
  assert.equal(problems.length, 101);
  assert.match(problems.at(-1)?.message ?? '', /^and 4900 more/);
});
