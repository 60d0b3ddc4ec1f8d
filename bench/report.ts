import process from 'node:process';

/** Prints a line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a rate, the limit measured beside it, and the one as a share of the other. */
export function share(what: string, rate: number, limit: number, ofWhat: string): void {
  const percent = ((rate / limit) * 100).toFixed(0);
  say(`  ${what}: ${rate.toFixed(0)} runs/s, ${percent} % of ${limit.toFixed(0)} (${ofWhat})`);
}

/** The middle of some numbers; the lower of the two middle ones of an even count. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor((numbers.length - 1) / 2)] ?? Number.NaN;
}
