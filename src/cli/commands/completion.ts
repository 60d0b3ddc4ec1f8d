import type { Command } from 'commander';
import { type CommandGrammar, type Flag, type FlagValue, type Grammar, grammarOf } from '../grammar.ts';

/** The shells that there are scripts for. */
export const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** A shell that there is a script for. */
export type CompletedShell = keyof typeof scripts;

/** `chains completion`: prints the completion script for a shell. */
export function printCompletion(shell: CompletedShell, program: Command): void {
  process.stdout.write(scripts[shell](grammarOf(program)));
}

/** The script for bash 3.2 and later. */
function bashScript({ commands, flags }: Grammar): string {
  const first = [...commands.map(({ name }) => name), ...namesOf(flags)];
  return `# Completion of chains for bash.
_chains() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words='' files=''
  # bash takes --output=json apart at the equals sign.
  if [[ $word == = ]]; then word=''; elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if ((COMP_CWORD == 1)); then
    words='${first.join(' ')}'
  else
    case "\${COMP_WORDS[1]} $before" in
${commands.flatMap(bashValueCases).join('\n')}
      *)
        case "\${COMP_WORDS[1]}" in
${commands.map(bashCommandCase).join('\n')}
        esac ;;
    esac
  fi
  if [[ -n $files ]]; then
    local IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$word"))
    compopt -o filenames 2> /dev/null
  else
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *[/=] ]]; then compopt -o nospace 2> /dev/null; fi
  fi
}
complete -F _chains chains
`;
}

function namesOf(flags: readonly Flag[]): readonly string[] {
  return flags.flatMap(({ names }) => names);
}

function bashValueCases({ name: command, flags }: CommandGrammar): readonly string[] {
  return flags.flatMap(({ names, value }) => {
    if (value === undefined) return [];
    const pattern = names.map((name) => `'${command} ${name}'`).join('|');
    const words = value.words.length > 0 ? `words='${value.words.join(' ')}' ` : '';
    return `      ${pattern}) ${value.isFile ? 'files=yes ' : words};;`;
  });
}

function bashCommandCase({ name, words, flags }: CommandGrammar): string {
  return `          ${name}) words='${[...words, ...namesOf(flags)].join(' ')}' ;;`;
}

/** The script for zsh: a function to autoload, which can be sourced too. */
function zshScript({ commands, flags }: Grammar): string {
  return `#compdef chains
_chains() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    '${name}:${zshEscaped(description)}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    _arguments ${flags.map(zshFlag).join(' ')}
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(zshCommandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _chains ]]; then _chains "$@"; else compdef _chains chains; fi
`;
}

function zshCommandCase({ name, flags, words }: CommandGrammar): string {
  const specs = [...flags.map(zshFlag), ...(words.length === 0 ? [] : [`'*:argument:${zshWords(words)}'`])];
  return `    ${name})\n      _arguments \\\n        ${specs.join(' \\\n        ')}\n      ;;`;
}

/** `'(-o --output)'{-o+,--output=}'[how to print]:form:(text json)'`: once on a line, unless it repeats. */
function zshFlag({ names, description, value, repeats }: Flag): string {
  const exclusive = repeats ? "'*'" : `'(${names.join(' ')})'`;
  const forms = names.map((name) =>
    value === undefined ? name : `${name}${name.startsWith('--') ? '=' : '+'}`,
  );
  const shown = forms.length === 1 ? forms.join('') : `{${forms.join(',')}}`;
  const values =
    value === undefined ? '' : `:${value.name}:${value.isFile ? '_files' : zshWords(value.words)}`;
  return `${exclusive}${shown}'[${zshEscaped(description)}]${values}'`;
}

/** No blank is added after a word that has to be continued, such as `taskrun/`. */
function zshWords(words: readonly string[]): string {
  const open = words.filter((word) => /[/=]$/.test(word)).join(' ');
  const whole = words.filter((word) => !/[/=]$/.test(word)).join(' ');
  if (open === '') return whole === '' ? '' : `(${whole})`;
  return `{compadd -S "" - ${open}${whole === '' ? '' : `; compadd - ${whole}`}}`;
}

function zshEscaped(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&').replaceAll("'", `'\\''`);
}

/** The script for fish. */
function fishScript({ commands, flags }: Grammar): string {
  const first = 'complete -c chains -n __fish_use_subcommand';
  const lines = [
    '# Completion of chains for fish.',
    'complete -c chains -f',
    ...commands.map(({ name, description }) => `${first} -a ${name} -d ${fishQuoted(description)}`),
    ...flags.map((flag) => `${first} ${fishFlag(flag)}`),
    ...commands.flatMap(fishCommand),
  ];
  return `${lines.join('\n')}\n`;
}

function fishCommand({ name, words, flags }: CommandGrammar): readonly string[] {
  const start = `complete -c chains -n '__fish_seen_subcommand_from ${name}'`;
  return [...fishWords(words), ...flags.map(fishFlag)].map((line) => `${start} ${line}`);
}

function fishFlag({ names, description, value }: Flag): string {
  const spelled = names.map((name) => name.replace(/^--/, '-l ').replace(/^-(?=\w$)/, '-s '));
  return [...spelled, ...fishValue(value), `-d ${fishQuoted(description)}`].join(' ');
}

function fishValue(value: FlagValue | undefined): readonly string[] {
  if (value === undefined) return [];
  return value.isFile ? ['-r -F'] : ['-x', ...fishWords(value.words)];
}

function fishWords(words: readonly string[]): readonly string[] {
  return words.length === 0 ? [] : [`-a ${fishQuoted(words.join(' '))}`];
}

function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
