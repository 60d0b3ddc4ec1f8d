import type { Command } from 'commander';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { type Grammar, grammarOf } from '../completion/grammar.ts';
import { zshScript } from '../completion/zsh.ts';

/** The shells that scripts are made for. */
export const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Readonly<
  Record<string, (grammar: Grammar) => string>
>;

/** A shell that there is a script for. */
export type CompletedShell = keyof typeof scripts;

/** `chains completion`: prints the script that completes the program's words in a shell. */
export function printCompletion(shell: CompletedShell, program: Command): void {
  process.stdout.write(scripts[shell](grammarOf(program)));
}
