import type { CommandGrammar, Flag, Grammar } from './grammar.ts';

/** The script for bash 3.2 and later. */
export function bashScript({ commands, flags }: Grammar): string {
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
${commands.flatMap(valueCases).join('\n')}
      *)
        case "\${COMP_WORDS[1]}" in
${commands.map(commandCase).join('\n')}
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

function valueCases({ name: command, flags }: CommandGrammar): readonly string[] {
  return flags.flatMap(({ names, value }) => {
    if (value === undefined) return [];
    const pattern = names.map((name) => `'${command} ${name}'`).join('|');
    const effect = value.isFile
      ? 'files=yes '
      : value.words.length > 0
        ? `words='${value.words.join(' ')}' `
        : '';
    return [`      ${pattern}) ${effect};;`];
  });
}

function commandCase({ name, words, flags }: CommandGrammar): string {
  return `          ${name}) words='${[...words, ...namesOf(flags)].join(' ')}' ;;`;
}
