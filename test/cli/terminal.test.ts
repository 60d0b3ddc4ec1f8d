import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { examine } from '../../src/library/examine.ts';
import { explainText } from '../../src/cli/terminal/explain-text.ts';
import { verifyText } from '../../src/cli/terminal/verify-text.ts';
import { showing } from '../../src/cli/terminal/progress.ts';
import { wrap } from '../../src/cli/terminal/layout.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const run = {
  apiVersion: 'tekton.dev/v1',
  kind: 'TaskRun',
  metadata: { namespace: 'ci', name: 'build', uid: 'uid-1' },
  status: { conditions: [{ type: 'Succeeded', status: 'True' }] },
};

type Environment = Readonly<Record<string, string>>;

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs the command in a shell line: on a terminal of its own, or in pipes. What it printed, on both streams. */
function shell(line: string, on: 'terminal' | 'pipes', environment: Environment): Promise<string> {
  // Node takes a terminal where CI is set for one without colours.
  const { NO_COLOR: _no, FORCE_COLOR: _force, CI: _ci, ...inherited } = process.env;
  const env = { ...inherited, TERM: 'xterm-256color', ...environment };
  const args = on === 'terminal' ? ['-qec', line, '/dev/null'] : ['-c', `${line} 2>&1`];
  return new Promise((resolve) => {
    execFile(on === 'terminal' ? 'script' : 'sh', args, { env }, (_error, out) => resolve(out));
  });
}

async function chains(
  context: TestContext,
  args: string,
  on: 'terminal' | 'pipes',
  environment: Environment = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'chains-terminal-'));
  context.after(() => rm(folder, { recursive: true }));
  const another = { ...run, metadata: { ...run.metadata, name: 'another' } };
  await writeFile(join(folder, 'runs.jsonl'), [run, another].map((one) => JSON.stringify(one)).join('\n'));
  const command = [process.execPath, main].map(quoted).join(' ');
  return shell(`${command} ${args.replace('RUNS', quoted(join(folder, 'runs.jsonl')))}`, on, environment);
}

const explain = 'explain -f RUNS';
const escape = '\u001b[';

test('on a terminal there are colours, and a line of progress that is rewritten in place and then gone', async (context) => {
  const out = await chains(context, explain, 'terminal');
  assert.ok(out.includes(`${escape}2mpayload`), 'labels are dim');
  assert.match(out, /\r\u001b\[Kexamining 1 of 2: [^\r]*…\r\u001b\[K/);
  assert.match(out, /\r\u001b\[Kexamining 2 of 2: /);
});

test('in a pipe there is neither, and the text is the same', async (context) => {
  const piped = await chains(context, explain, 'pipes');
  assert.ok(!piped.includes('\u001b') && !piped.includes('examining'));
  const shown = await chains(context, explain, 'terminal');
  const lines = stripVTControlCharacters(shown.replaceAll(/\r\u001b\[K[^\r\u001b]*…(?=\r)/g, ''));
  assert.equal(lines.replaceAll('\r', ''), piped);
});

for (const [what, on, environment, coloured] of [
  ['NO_COLOR', 'terminal', { NO_COLOR: '1' }, false],
  ['TERM=dumb', 'terminal', { TERM: 'dumb' }, false],
  ['FORCE_COLOR in a pipe', 'pipes', { FORCE_COLOR: '1' }, true],
] as const) {
  test(`with ${what} there is ${coloured ? 'colour' : 'none'}`, async (context) => {
    const out = await chains(context, explain, on, environment);
    assert.equal(out.includes(`${escape}2m`), coloured);
  });
}

test('errors are red on a terminal, their hints dim', async (context) => {
  const out = await chains(context, 'explain taskrunz/build', 'terminal');
  assert.ok(out.includes(`${escape}31merror:${escape}39m "taskrunz/build" is not a run`), out);
  assert.ok(out.includes(`hint: ${escape}2mdid you mean taskrun/build?${escape}22m`), out);
  assert.ok(
    (await chains(context, 'verfy', 'terminal')).startsWith(`${escape}31merror:${escape}39m unknown`),
  );
});

test('an error is one line in a pipe, and fits 100 columns on a terminal', async (context) => {
  const command = `sign -f RUNS --signing-secrets /nowhere`;
  const errorLines = (text: string) => text.split('\n').filter((line) => line.startsWith('error:'));
  assert.ok((errorLines(await chains(context, command, 'pipes'))[0] ?? '').length > 200);
  const shown = stripVTControlCharacters(await chains(context, command, 'terminal')).split(/\r?\n|\r/);
  const from = shown.findIndex((line) => line.startsWith('error:'));
  assert.ok(from >= 0);
  const printed = shown.slice(from).filter((line) => !line.startsWith('{'));
  assert.deepEqual(tooWide(printed.join('\n')), []);
});

function terminal(columns: number) {
  const written: string[] = [];
  return { isTTY: true, columns, write: (text: string) => written.push(text), written };
}

test('progress is never wider than the terminal, and is removed when the work fails, too', async () => {
  const stream = terminal(20);
  const failing = showing(
    'signing 3 of 20: \u001b]0;x\u0007 a very long name',
    () => Promise.reject(new Error('no')),
    stream,
  );
  await assert.rejects(failing, /no/);
  assert.deepEqual(stream.written, ['\r\u001b[Ksigning 3 of 20: \\u', '\r\u001b[K']);
});

test('work that takes long shows its seconds', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const stream = terminal(80);
  const { promise, resolve } = Promise.withResolvers<string>();
  const work = showing('waiting for the cluster', () => promise, stream);
  context.mock.timers.tick(2_000);
  resolve('done');
  assert.equal(await work, 'done');
  assert.equal(stream.written.at(-2), '\r\u001b[Kwaiting for the cluster… 2 s');
});

test('paint changes no blank and no break', () => {
  const text = `${'word '.repeat(60)}${'x'.repeat(150)}`;
  const painted = wrap('  ✔ name: ', text, 6, (part) => `<${part}>`);
  assert.equal(painted.replaceAll(/[<>]/g, ''), wrap('  ✔ name: ', text, 6));
});

/** A run with names, results and annotations as long as they can be. */
const long = {
  ...run,
  metadata: {
    namespace: 'n'.repeat(63),
    name: 'a'.repeat(253),
    uid: 'u'.repeat(200),
    annotations: { 'chains.tekton.dev/message': 'why '.repeat(200), 'chains.tekton.dev/retries': '7' },
  },
  status: {
    ...run.status,
    results: [
      { name: 'IMAGE_URL', value: `registry.example.com/${'deep/'.repeat(40)}app` },
      { name: 'IMAGE_DIGEST', value: `sha256:${'0'.repeat(64)}` },
      { name: `${'X'.repeat(200)}IMAGE_URL`, value: 'registry.example.com/half' },
    ],
  },
};
const problem = { at: `status.results[${'9'.repeat(150)}].value`, message: 'm'.repeat(300) };

function tooWide(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.length > 100);
}

test('whatever a run holds, explain fits 100 columns', async () => {
  const examination = await examine({ run: long, taskRuns: [], config: {} });
  const text = explainText({ ...examination, problems: [...examination.problems, problem] });
  assert.ok(text.includes('u'.repeat(50)) && text.includes('deep/'));
  assert.deepEqual(tooWide(text), []);
});

test('whatever was checked, verify fits 100 columns', () => {
  const check = {
    name: `taskrun-${'u'.repeat(200)} subject`,
    ok: false,
    reason: `${'x'.repeat(300)} is not it`,
  };
  const statement = {
    predicateType: 'https://slsa.dev/provenance/v0.2',
    subject: [{ name: 'registry.example.com/'.repeat(10), digest: { sha256: '0'.repeat(64) } }],
    predicate: { builder: { id: 'https://builder.example.com/'.repeat(10) } },
  };
  const text = verifyText(`TaskRun ci/${'a'.repeat(253)}`, {
    verified: false,
    notes: [],
    checks: [check, { ...check, ok: true }],
    statements: [statement],
  });
  assert.ok(text.includes('built by') && text.includes('✘'));
  assert.deepEqual(tooWide(text), []);
});
