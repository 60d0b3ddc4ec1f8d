import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { examples } from '../../src/cli/examples.ts';
import { program } from '../../src/cli/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Told {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Runs the command as somebody would who has a shell. */
function chains(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Told> {
  const command = [fileURLToPath(new URL('../../src/main.ts', import.meta.url)), ...args];
  const options = { env: { ...process.env, ...environment } };
  return new Promise((resolve) => {
    execFile(process.execPath, command, options, (error, out, err) =>
      resolve({ out, err, code: error === null ? 0 : Number(error.code) }),
    );
  });
}

for (const command of [program(), ...program().commands]) {
  test(`the help of ${command.name()} has two to four examples, and fits 100 columns`, () => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 100 });
    command.outputHelp();
    const wide = help.split('\n').filter((line) => line.length > 100);
    assert.deepEqual(wide, []);
    const shown = Object.keys(examples[command.name()] ?? {}).length;
    assert.ok(shown >= 2 && shown <= 4, `${shown} examples`);
    assert.equal(help.match(/^ {2}# /gm)?.length, shown);
    assert.ok(!help.includes('\u001b'));
  });
}

/** The words of chains in an example, as a shell would hand them over. */
function wordsOf(line: string): readonly string[] {
  const words = [...line.matchAll(/'([^']*)'|([^\s()\\]+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  const own = words.slice(words.indexOf('chains') + 1);
  const end = own.findIndex((word) => ['|', '>', '&&'].includes(word));
  return end === -1 ? own : own.slice(0, end);
}

for (const command of Object.values(examples).flatMap((ofCommand) => Object.values(ofCommand))) {
  test(`the example is a command that there is: ${command}`, async () => {
    const chainsProgram = program();
    for (const one of chainsProgram.commands) one.action(() => {});
    const words = wordsOf(command);
    assert.ok(words.length > 0);
    await chainsProgram.parseAsync(words, { from: 'user' });
  });
}

for (const [args, error, hint] of [
  [['verfy'], "error: unknown command 'verfy'", 'did you mean verify?'],
  [['verify', '--nmaespace', 'ci'], "error: unknown option '--nmaespace'", 'did you mean --namespace?'],
  [
    ['explain', '-o', 'jsn'],
    /^error: .*'jsn' is invalid. Allowed choices are text, json.$/,
    'did you mean json?',
  ],
  [['sign', '-f', 'x', '-o', 'jsn'], /^error: -o "jsn" is not known/, 'did you mean json?'],
  [['keygen', '--type', 'ecsda'], /^error: --type "ecsda" is not a type of key/, 'did you mean ecdsa?'],
  [['completion', 'bsh'], /^error: .*'bsh' is invalid/, 'did you mean bash?'],
  [['explain', 'taskrunz/build'], /^error: "taskrunz\/build" is not a run/, 'did you mean taskrun/build?'],
  [['verify', 'images', 'app:1.0', '--key', 'k'], /^error: "images" is neither a run/, 'did you mean image?'],
  [['demo', 'now'], /^error: too many arguments/, 'chains demo --help shows what it takes'],
  [
    ['sandbox', '--port', 'x'],
    /^error: .*whole number from 0 to 65535/,
    'chains sandbox --help shows what it takes',
  ],
  [
    ['--verbose\u001b[31m'],
    /^error: unknown option '--verbose\\u\{1b\}\[31m'$/,
    'chains --help shows what it takes',
  ],
] as const) {
  test(`chains ${args.join(' ')} ends with 2, one line and a hint`, async () => {
    const { out, err, code } = await chains(args);
    const [first = '', ...rest] = err.split('\n');
    assert.deepEqual([out, code], ['', 2]);
    if (typeof error === 'string') assert.equal(first, error);
    else assert.match(first, error);
    assert.deepEqual(rest, [`hint: ${hint}`, '']);
  });
}

test('--version names the version and the commit that is checked out', async () => {
  const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root });
  const { out, code } = await chains(['--version']);
  assert.match(out, new RegExp(`^\\d+\\.\\d+\\.\\d+ \\(${stdout.trim()}\\)\\n$`));
  assert.equal(code, 0);
});

test('--version names the version alone where there is no git', async () => {
  const { out, err, code } = await chains(['--version'], { PATH: '/nowhere' });
  assert.match(out, /^\d+\.\d+\.\d+\n$/);
  assert.deepEqual([err, code], ['', 0]);
});
