import process from 'node:process';
import { explain } from '../src/index.ts';
import { member } from '../src/json.ts';
import { configOf, linesOf, objectsOf } from '../test/conformance/cases.ts';
import { median, say } from './report.ts';

/** How often each case is done, so that start-up weighs little. */
const repetitions = 40;

/** Prints how many conformance cases, read, extracted and formatted, a second of processor time takes. */
export async function measurePayloads(rounds: number): Promise<void> {
  const cases = linesOf('visible.jsonl').map((line) => ({
    run: member(line, 'run'),
    taskRuns: objectsOf(member(line, 'taskRuns')),
    config: configOf(line),
  }));
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let repetition = 0; repetition < repetitions; repetition++) {
      // A configuration that is refused is a case, too.
      for (const one of cases) await explain(one).catch(() => undefined);
    }
    const { user, system } = process.cpuUsage(before);
    rates.push((cases.length * repetitions) / ((user + system) / 1e6));
  }
  say(`Payloads of ${cases.length} conformance cases, ${repetitions} times:`);
  say(`  ${median(rates).toFixed(0)} cases for a second of processor time (aim: over 2,000)`);
}
