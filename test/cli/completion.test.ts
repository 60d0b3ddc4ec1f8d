import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { grammarOf } from '../../src/cli/grammar.ts';
import { scripts } from '../../src/cli/commands/completion.ts';
import { program } from '../../src/cli/program.ts';

const grammar = grammarOf(program());

/** What bash offers for the last of these words, as it takes a line apart. */
async function offered(words: readonly string[], folder = tmpdir()): Promise<readonly string[]> {
  const script = `${scripts.bash(grammar)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _chains; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ['--norc', '--noprofile', '-u', '-c', script, 'bash', ...words];
  const { stdout, stderr } = await promisify(execFile)('bash', args, { cwd: folder });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

for (const [words, expected] of [
  [['chains', 've'], ['verify']],
  [['chains', '--v'], ['--version']],
  [
    ['chains', ''],
    [...grammar.commands.map(({ name }) => name), '--version', '-h', '--help'],
  ],
  [
    ['chains', 'verify', '--source'],
    ['--source-uri', '--source-digest'],
  ],
  [['chains', 'verify', 't'], ['taskrun/']],
  [['chains', 'verify', 'i'], ['image']],
  [['chains', 'verify', '--require', ''], ['slsa-v1']],
  [
    ['chains', 'explain', '-o', ''],
    ['text', 'json'],
  ],
  [['chains', 'explain', '--output', '=', 'js'], ['json']],
  [
    ['chains', 'explain', '--output', '='],
    ['text', 'json'],
  ],
  [
    ['chains', 'keygen', '--type', 'e'],
    ['ecdsa', 'ed25519'],
  ],
  [['chains', 'completion', 'z'], ['zsh']],
  [['chains', 'help', 'd'], ['demo']],
  [['chains', 'explain', '-n', ''], []],
  [['chains', 'nothing', ''], []],
] as const) {
  test(`bash completes ${JSON.stringify(words.join(' '))} to ${expected.join(' ') || 'nothing'}`, async () => {
    assert.deepEqual(await offered(words), expected);
  });
}

test('bash completes files where one is wanted, with blanks in their names', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'chains-completion-'));
  context.after(() => rm(folder, { recursive: true }));
  for (const name of ['my run.yaml', 'my.txt', 'other']) await writeFile(join(folder, name), '');
  const found = await offered(['chains', 'sign', '-f', 'my'], folder);
  assert.deepEqual(found.toSorted(), ['my run.yaml', 'my.txt']);
});

test('the scripts know every command and every flag of the program', () => {
  for (const [shell, script] of Object.entries(scripts)) {
    const text = script(grammar);
    for (const { name, flags } of grammar.commands) {
      assert.ok(text.includes(name), `${shell}: ${name}`);
      for (const flag of flags.flatMap(({ names }) => names))
        assert.ok(text.includes(shell === 'fish' ? flag.replace(/^--?/, '') : flag), `${shell}: ${flag}`);
    }
  }
});
