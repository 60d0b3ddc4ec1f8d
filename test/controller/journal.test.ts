import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openJournal } from '../../src/controller/journal.ts';
import { openLog } from '../../src/telemetry/logs.ts';

/** A folder, the journals that one process after the other opens in it, and what they logged. */
async function folderFor(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'chains-journal-'));
  context.after(() => rm(folder, { recursive: true }));
  const logged: string[] = [];
  const log = await openLog({ write: (line) => logged.push(line) });
  const open = () => {
    const journal = openJournal(folder, log);
    assert.ok(journal !== undefined);
    context.after(() => journal.close());
    return journal;
  };
  return { folder, logged, log, open };
}

test('what was being tried when the process went is what crashed; what had ended is not', async (context) => {
  const { logged, open } = await folderFor(context);
  const before = open();
  before.begins('TaskRun ci/through');
  before.begins('TaskRun ci/poison');
  before.ended('TaskRun ci/through');
  before.begins('TaskRun ci/beside');
  const after = open();
  const crashes = ['through', 'poison', 'beside', 'new'].map((name) => after.crashes(`TaskRun ci/${name}`));
  assert.deepEqual(crashes, [0, 1, 1, 0]);
  assert.match(logged.join(''), /TaskRun ci\/poison was being tried when the controller crashed \(1\)/);
});

test('each crash counts, and one that came while it waited does not', async (context) => {
  const { open } = await folderFor(context);
  open().begins('TaskRun ci/poison');
  open().begins('TaskRun ci/poison');
  open().begins('TaskRun ci/another');
  const last = open();
  assert.deepEqual([last.crashes('TaskRun ci/poison'), last.crashes('TaskRun ci/another')], [2, 1]);
});

test('a try that ended clears its run', async (context) => {
  const { open } = await folderFor(context);
  open().begins('TaskRun ci/build');
  const second = open();
  second.begins('TaskRun ci/build');
  second.ended('TaskRun ci/build');
  assert.equal(second.crashes('TaskRun ci/build'), 0);
  assert.equal(open().crashes('TaskRun ci/build'), 0);
});

test('the file does not grow with the runs that pass', async (context) => {
  const { folder, open } = await folderFor(context);
  const journal = open();
  for (let index = 0; index < 1_000; index += 1) {
    journal.begins(`TaskRun ci/run-${index}`);
    journal.ended(`TaskRun ci/run-${index}`);
  }
  assert.equal((await readFile(join(folder, 'tries'))).length, 512);
});

test('a damaged file, and a folder that cannot be had, keep nothing from starting', async (context) => {
  const { folder, logged, log, open } = await folderFor(context);
  await writeFile(join(folder, 'tries'), '\0\xfftried\ntried x\n{}\n\n');
  assert.equal(open().crashes('TaskRun ci/build'), 0);
  assert.equal(openJournal(join(folder, 'tries', 'below-a-file'), log), undefined);
  assert.match(logged.join(''), /what is being tried is not written down/);
});
