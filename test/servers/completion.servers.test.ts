import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { grammarOf } from '../../src/cli/grammar.ts';
import { scripts } from '../../src/cli/commands/completion.ts';
import { program } from '../../src/cli/program.ts';
import { tool } from './tools.ts';

const grammar = grammarOf(program());
const long = { timeout: 60_000 };

/** Types each line and a Tab into a zsh on a terminal of its own, and prints what the line is then. */
const zsh = `
zmodload zsh/zpty
zpty z "$0 -f -i"
zpty -w z 'PS1=; autoload -Uz compinit; compinit -u -D; eval "$COMPLETION"'
zpty -w z 'told() { zle -I; print -r -- "<<$BUFFER>>"; BUFFER= }; zle -N told; bindkey "^X" told; echo re""ady'
zpty -r z answer '*ready*'
for line in "$@"; do
  zpty -w -n z "$line"$'\\t\\x18'
  zpty -r z answer '*<<*>>*'
  print -r -- "\${\${answer##*<<}%%>>*}"
done
zpty -d z
`;

suite('completion in the shells themselves', () => {
  test('zsh completes commands, flags, their values and how arguments begin', long, async () => {
    const typed: Readonly<Record<string, string>> = {
      'chains ve': 'chains verify ',
      'chains explain -o j': 'chains explain -o json ',
      'chains explain --output=t': 'chains explain --output=text ',
      'chains verify --source-u': 'chains verify --source-uri=',
      'chains verify ta': 'chains verify taskrun/',
      'chains verify im': 'chains verify image ',
      'chains completion z': 'chains completion zsh ',
      'chains keygen --type cos': 'chains keygen --type cosign ',
    };
    const shell = tool('zsh');
    const env = { ...process.env, TERM: 'xterm', COMPLETION: scripts.zsh(grammar) };
    const args = ['-f', '-c', zsh, shell, ...Object.keys(typed)];
    const { stdout } = await promisify(execFile)(shell, args, { env });
    assert.deepEqual(
      stdout
        .replaceAll('\r', '')
        .trimEnd()
        .split('\n')
        .map((line) => line.trimEnd()),
      Object.values(typed).map((line) => line.trimEnd()),
    );
  });

  for (const [line, expected] of [
    ['chains ve', ['verify']],
    ['chains explain -o ', ['json', 'text']],
    ['chains verify --source', ['--source-digest', '--source-uri']],
    ['chains verify ta', ['taskrun/']],
    ['chains completion ', ['bash', 'fish', 'zsh']],
    ['chains explain -n ', []],
  ] as const) {
    test(`fish completes ${JSON.stringify(line)} to ${expected.join(' ') || 'nothing'}`, long, async () => {
      const command = `${scripts.fish(grammar)}\ncomplete -C '${line}'`;
      const { stdout } = await promisify(execFile)(tool('fish'), ['--no-config', '-c', command]);
      const words = stdout.split('\n').flatMap((one) => (one === '' ? [] : [one.split('\t')[0] ?? '']));
      assert.deepEqual(new Set(words), new Set<string>(expected));
    });
  }
});
