import type { Command, Option } from 'commander';

/** The value of a flag. */
export interface FlagValue {
  readonly name: string;
  /** The possible words; empty where any word is possible. */
  readonly words: readonly string[];
  readonly isFile: boolean;
}

/** A flag by all its names: `-o`, `--output`. */
export interface Flag {
  readonly names: readonly string[];
  readonly description: string;
  readonly value?: FlagValue;
  readonly repeats: boolean;
}

/** A command, and what can follow it. */
export interface CommandGrammar {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** Its arguments, or how they begin. */
  readonly words: readonly string[];
}

/** The commands and flags of the program, as completion needs them. */
export interface Grammar {
  readonly flags: readonly Flag[];
  readonly commands: readonly CommandGrammar[];
}

const runs = ['taskrun/', 'pipelinerun/'];

/** How arguments begin that are not a choice of words. */
const beginnings: Readonly<Record<string, readonly string[]>> = { explain: runs, verify: [...runs, 'image'] };

/** The names of values in flags that are files or folders. */
const files = ['file', 'folder', 'path', 'key'];

/** The grammar of the program. */
export function grammarOf(program: Command): Grammar {
  const help = program.createHelp();
  const flagsOf = (command: Command) => help.visibleOptions(command).map(flagOf);
  const commands = help.visibleCommands(program).map((command) => ({
    name: command.name(),
    description: command.description(),
    flags: flagsOf(command),
    words: [
      ...(beginnings[command.name()] ?? []),
      ...command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    ],
  }));
  const names = commands.map(({ name }) => name);
  return {
    flags: flagsOf(program),
    commands: commands.map((one) => (one.name === 'help' ? { ...one, words: names } : one)),
  };
}

function flagOf(option: Option): Flag {
  const { short, long, description, argChoices: words = [], variadic } = option;
  const names = [short, long].filter((name) => name != null);
  const name = /<([^.>]+)/.exec(option.flags)?.[1];
  const value = name === undefined ? {} : { value: { name, words, isFile: files.includes(name) } };
  return { names, description, repeats: variadic, ...value };
}
