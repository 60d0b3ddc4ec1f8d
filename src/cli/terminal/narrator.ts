import { wrap } from './layout.ts';

/** Prints a numbered step, and lines that belong to it. */
export type Say = (text: string, ...details: readonly string[]) => void;

/** Numbers the steps of a command on standard output. */
export function narrator(write: (text: string) => unknown = (text) => process.stdout.write(text)): Say {
  let count = 0;
  return (text, ...details) => {
    count += 1;
    const lines = [wrap(`${String(count).padStart(2)}. `, text), ...details];
    write(`${lines.join('\n')}\n`);
  };
}
