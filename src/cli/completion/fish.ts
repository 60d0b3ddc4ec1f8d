import type { CommandGrammar, Flag, Grammar } from './grammar.ts';

/** The script for fish. */
export function fishScript({ commands, flags }: Grammar): string {
  const first = '-n __fish_use_subcommand';
  const lines = [
    '# Completion of chains for fish.',
    'complete -c chains -f',
    ...commands.map(
      ({ name, description }) => `complete -c chains ${first} -a ${name} -d ${quoted(description)}`,
    ),
    ...flags.map((flag) => `complete -c chains ${first} ${flagSpec(flag)}`),
    ...commands.flatMap(commandLines),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines({ name, words, flags }: CommandGrammar): readonly string[] {
  const start = `complete -c chains -n '__fish_seen_subcommand_from ${name}'`;
  return [
    ...(words.length === 0 ? [] : [`${start} -a ${quoted(words.join(' '))}`]),
    ...flags.map((flag) => `${start} ${flagSpec(flag)}`),
  ];
}

function flagSpec({ names, description, value }: Flag): string {
  const spelled = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const takes =
    value === undefined
      ? []
      : value.isFile
        ? ['-r -F']
        : ['-x', ...(value.words.length === 0 ? [] : [`-a ${quoted(value.words.join(' '))}`])];
  return [...spelled, ...takes, `-d ${quoted(description)}`].join(' ');
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
