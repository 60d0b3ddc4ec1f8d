import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { keys } from '../../src/config/keys.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { blocksOf, prelude, project, readPages } from './pages.ts';

const run = promisify(execFile);
const pages = await readPages();
const shown = new Metrics();
shown.queue(() => ({ depth: 0, oldestSeconds: 0, waiting: 0 }));
shown.members(() => 1);
const { body: metrics } = await shown.page();
const marks = /^(run|run: servers|run: install|walk-through( \w+)?|not run: .+)$/;
const tools =
  'npx|npm|kubectl|cosign|oras|gpg|openssl|jq|curl|gcloud|docker|vault|aws|az|kustomize|kafka-\\S+|archivistactl';

for (const page of pages) {
  const blocks = blocksOf(page);

  test(`${page.path}: commands are run by a test, or the page says why not`, () => {
    for (const { line, mark } of blocks)
      assert.match(mark ?? '', marks, `the block at line ${line} is not marked as run or not run`);
    assert.doesNotMatch(page.text, /^```(bash|shell|console)$/m, 'shell blocks begin with ```sh');
    const outside = page.text.replaceAll(/^```[^]*?^```$/gm, '');
    assert.deepEqual(outside.match(new RegExp(`^ {4,}(?:${tools}) .*$`, 'gm')), null, 'put it into a block');
  });

  test(`${page.path}: what it links to is there`, async () => {
    for (const [, target = ''] of page.text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page.path : normalize(join(dirname(page.path), path));
      const text = await readFile(join(project, file), 'utf8');
      if (anchor !== undefined) assert.ok(anchorsOf(text).includes(anchor), `${target} is not a heading`);
    }
    for (const [, path = ''] of page.text.matchAll(
      /`((?:docs|deploy|examples|scripts|src|test)\/[\w./-]+\.\w+)`/g,
    ))
      assert.ok(await readFile(join(project, path)), path);
  });

  test(`${page.path}: what is said to be run when installing stands in .ci/run`, async () => {
    const script = await readFile(join(project, '.ci/run'), 'utf8');
    const installing = blocks.filter(({ mark }) => mark === 'run: install');
    for (const line of installing.flatMap(({ commands }) => commands.trimEnd().split('\n')))
      assert.ok(script.includes(line.replace(/ *#.*$/, '')), line);
  });

  test(`${page.path}: the keys and metrics that it names are known, and its YAML can be read`, () => {
    const keyNames = Object.keys(keys);
    for (const [, name = ''] of page.text.matchAll(
      /`((?:artifacts|storage|signers|transparency)\.[a-z0-9.-]+)`/g,
    ))
      assert.ok(keyNames.includes(name), `there is no key ${name}`);
    for (const [name] of page.text.matchAll(/\b(?:chains|watcher)(?:_[a-z0-9]+)+(?![\w*]|_\*)/g))
      assert.ok(metrics.includes(`# TYPE ${name} `), `there is no metric ${name}`);
    for (const [, yaml = ''] of page.text.matchAll(/^```yaml\n([^]*?)^```$/gm)) assert.ok(parse(yaml));
  });

  const runnable = blocks.filter(({ mark }) => mark === 'run').map(({ commands }) => commands);
  if (runnable.length > 0) {
    test(`${page.path}: its commands that need nothing but this project work`, {
      timeout: 120_000,
    }, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'chains-docs-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      await cp(join(project, 'examples'), join(folder, 'examples'), { recursive: true });
      await run('bash', ['-euo', 'pipefail', '-c', prelude + runnable.join('')], { cwd: folder });
    });
  }
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}
