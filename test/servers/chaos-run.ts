// `npm run chaos`: the trials of chaos.servers.test.ts for as long and as many runs as you like, on a real API server.

import process from 'node:process';
import { Command } from 'commander';
import { away, deleted, everyAway, frozen, killed, type Report, skewed } from './chaos.ts';

const options = new Command('chaos')
  .option('--runs <number>', 'runs for each trial with kills; a tenth of it for the others', '10000')
  .option('--away <seconds>', 'how long back ends are away and a replica is frozen', '60')
  .option('--replicas <number>', 'controllers at once', '3')
  .option('--only <words>', 'trials whose names contain this')
  .parse()
  .opts<{
    readonly runs: string;
    readonly away: string;
    readonly replicas: string;
    readonly only?: string;
  }>();

const [runs, seconds, replicas] = [Number(options.runs), Number(options.away), Number(options.replicas)];
const few = { runs: Math.ceil(runs / 10), replicas };

const trials: readonly (readonly [name: string, run: () => Promise<Report>])[] = [
  [`killed, ${replicas} replicas`, () => killed({ runs, replicas }, [1_000, 5_000])],
  ['killed, one replica', () => killed({ runs, replicas: 1 }, [1_000, 5_000])],
  ['frozen', () => frozen(few, seconds)],
  ['clocks off', () => skewed(few)],
  ['deleted while they finish', () => deleted({ runs: 400, replicas })],
  ...everyAway.map((what) => [`away: ${what}`, () => away(what, few, seconds)] as const),
];

let isWell = true;
for (const [name, trial] of trials.filter(([name]) => name.includes(options.only ?? ''))) {
  const report = await trial();
  const { runs: _all, seconds: after, ...bad } = report;
  isWell &&= Object.values(bad).every((count) => count === 0) && (!name.startsWith('away') || after < 10);
  process.stdout.write(`${name}: ${JSON.stringify(report)}\n`);
}
process.exit(isWell ? 0 : 1);
