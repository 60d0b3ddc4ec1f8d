import type { CommandGrammar, Flag, Grammar } from './grammar.ts';

/** The script for zsh: a function to autoload, that can be sourced too. */
export function zshScript({ commands, flags }: Grammar): string {
  return `#compdef chains
_chains() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    '${escaped(`${name}:`, description)}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    _arguments ${flags.map(flagSpec).join(' ')}
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _chains ]]; then _chains "$@"; else compdef _chains chains; fi
`;
}

function commandCase({ name, flags, words }: CommandGrammar): string {
  const specs = [...flags.map(flagSpec), ...(words.length === 0 ? [] : [`'*:argument:${wordsSpec(words)}'`])];
  return `    ${name})\n      _arguments \\\n        ${specs.join(' \\\n        ')}\n      ;;`;
}

/** `'(-o --output)'{-o+,--output=}'[how to print]:form:(text json)'`: once on a line, unless it repeats. */
function flagSpec({ names, description, value, repeats }: Flag): string {
  const exclusive = repeats ? "'*'" : `'(${names.join(' ')})'`;
  const takes = (name: string) =>
    value === undefined ? name : `${name}${name.startsWith('--') ? '=' : '+'}`;
  const [only = ''] = names;
  const shown = names.length === 1 ? takes(only) : `{${names.map(takes).join(',')}}`;
  const values =
    value === undefined ? '' : `:${value.name}:${value.isFile ? '_files' : wordsSpec(value.words)}`;
  return `${exclusive}${shown}'[${escaped('', description)}]${values}'`;
}

/** After a word that goes on, such as `taskrun/`, there comes no blank. */
function wordsSpec(words: readonly string[]): string {
  if (words.length === 0) return '';
  const [open = [], whole = []] = [true, false].map((goesOn) =>
    words.filter((word) => /[/=]$/.test(word) === goesOn),
  );
  if (open.length === 0) return `(${words.join(' ')})`;
  const add = [
    `compadd -S "" - ${open.join(' ')}`,
    ...(whole.length === 0 ? [] : [`compadd - ${whole.join(' ')}`]),
  ];
  return `{${add.join('; ')}}`;
}

function escaped(before: string, text: string): string {
  return before + text.replace(/[[\]:\\]/g, '\\$&').replaceAll("'", `'\\''`);
}
