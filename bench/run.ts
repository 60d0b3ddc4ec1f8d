// `npm run bench`: what the controller costs, and what the API server could do at best, measured in one go.

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Command, Option } from 'commander';
import { away, everyAway, killed, type Report } from '../test/servers/chaos.ts';
import { type BareClient, openBareClient } from './bare-client.ts';
import { type ClusterChoice, openCluster } from './cluster.ts';
import { backlogLimit, liveLimit, marksOf, writersTried } from './limit.ts';
import { calm } from './load.ts';
import { backlog, type Bench, firstSignature, live, type Throughput } from './measurements.ts';
import { measurePayloads } from './payloads.ts';
import { median, say } from './report.ts';
import { signatures } from './signatures.ts';

interface Options {
  readonly server: 'sandbox' | 'real';
  readonly kubeconfig?: string;
  readonly yes?: boolean;
  readonly runs: string;
  readonly rounds: string;
  readonly signed: string;
  readonly concurrency?: string;
  readonly nodeOptions?: string;
  readonly payloads?: boolean;
  readonly signatures?: boolean;
  readonly sigstore?: boolean;
}

const options = new Command('bench')
  .addOption(
    new Option('--server <which>', 'API server to start').choices(['sandbox', 'real']).default('sandbox'),
  )
  .option('--kubeconfig <file>', 'measure on this cluster instead; needs --yes')
  .option('--yes', 'create and delete namespaces chains-bench-… on that cluster')
  .option('--runs <number>', 'runs for each measurement', '1000')
  .option('--rounds <number>', 'how often; the medians are shown', '3')
  .option('--signed <number>', 'signed runs that are there for the last measurement', '5000')
  .option('--concurrency <number>', 'of the controller (default: its own)')
  .option('--node-options <options>', 'of the controller (default: those of the image and of deploy/)')
  .option('--payloads', 'measure only how fast payloads are made, without an API server')
  .option('--signatures', 'measure only what signatures cost, without an API server')
  .option(
    '--sigstore',
    'measure only what logs and timestamps cost, with the private Sigstore of the test servers',
  )
  .parse()
  .opts<Options>();

/** What is measured in each round, and what it shows. */
const measured: readonly (readonly [
  what: string,
  measure: (bench: Bench, name: string, runs: number) => Promise<Throughput>,
])[] = [
  ['backlog', (bench, name, runs) => backlog(bench, name, runs)],
  ['backlog, runs of 47 KB', (bench, name, runs) => backlog(bench, name, runs, { size: '47 KB' })],
  ['backlog, three replicas', (bench, name, runs) => backlog(bench, name, runs, { replicas: 3 })],
  ['live, as many as the server takes', (bench, name, runs) => live(bench, name, runs)],
  ['live, 32 at once', (bench, name, runs) => live(bench, name, runs, { lives: calm })],
  [
    'live, 32 at once, three replicas',
    (bench, name, runs) => live(bench, name, runs, { lives: calm, replicas: 3 }),
  ],
];

if (options.kubeconfig !== undefined && options.yes !== true) {
  process.stderr.write(
    'bench: --kubeconfig creates thousands of runs on that cluster; add --yes if that is fine\n',
  );
  process.exit(2);
}

const withoutServer = [
  ...(options.payloads === true ? [measurePayloads] : []),
  ...(options.signatures === true ? [signatures] : []),
  ...(options.sigstore === true ? [(await import('./sigstore.ts')).sigstore] : []),
];
for (const measureOne of withoutServer) await measureOne(Number(options.rounds));
if (withoutServer.length > 0) process.exit(0);

execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
const folder = await mkdtemp(join(tmpdir(), 'chains-bench-'));
const choice: ClusterChoice =
  options.kubeconfig === undefined ? options.server : { kubeconfig: options.kubeconfig };
const cluster = await openCluster(choice, folder);
const client = await openBareClient(cluster.kubeconfig);
try {
  say(
    `On ${cluster.name}; ${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node.js ${process.version}`,
  );
  await measure(client, await openBench(client, cluster.kubeconfig));
} finally {
  await client.close();
  await cluster.close();
  await rm(folder, { recursive: true });
}

async function openBench(client: BareClient, kubeconfig: string): Promise<Bench> {
  const secretsFolder = join(folder, 'secrets');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await mkdir(secretsFolder);
  await writeFile(join(secretsFolder, 'x509.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const concurrency = options.concurrency === undefined ? undefined : Number(options.concurrency);
  const nodeOptions = options.nodeOptions?.split(' ').filter((option) => option !== '');
  return { client, kubeconfig, secretsFolder, concurrency, nodeOptions };
}

async function measure(client: BareClient, bench: Bench): Promise<void> {
  const [runs, rounds, signed] = [Number(options.runs), Number(options.rounds), Number(options.signed)];
  const id = Date.now().toString(36);
  let count = 0;
  const used: string[] = [];
  const name = (): string => {
    const next = `${id}-${++count}`;
    used.push(next);
    return next;
  };
  // The first one warms the server up, and its marks are what the bare client writes.
  const { sample } = await backlog(bench, name(), Math.min(runs, 200));
  const marks = marksOf(sample);
  const tried: { writers: number; rate: number }[] = [];
  for (const writers of writersTried)
    tried.push({ writers, rate: await backlogLimit(client, name(), runs, marks, writers) });
  const best = tried.toSorted((one, other) => other.rate - one.rate)[0]?.writers ?? 16;
  say(
    `bare client, by writers: ${tried.map(({ writers, rate }) => `${writers}: ${rate.toFixed(0)}/s`).join('  ')}`,
  );

  const rows = measured.map(([what, measureOne]) => {
    const found: Throughput[] = [];
    return { what, measureOne, found };
  });
  const limits: { readonly one: number[]; readonly live: number[] } = { one: [], live: [] };
  const first: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const { measureOne, found } of rows) found.push(await measureOne(bench, name(), runs));
    limits.one.push(await backlogLimit(client, name(), runs, marks, best));
    limits.live.push(await liveLimit(client, name(), runs, marks));
    first.push(await firstSignature(bench, name(), 0, marks));
  }
  const later = await firstSignature(bench, name(), signed, marks);

  say(`\nMedians of ${rounds} rounds of ${runs} runs:\n`);
  say('| | runs/s | calls a run | processor s for 1,000 | peak MiB |\n| --- | --- | --- | --- | --- |');
  for (const { what, found } of rows) {
    const middle = (part: 'rate' | 'calls' | 'processor' | 'memory', digits: number): string =>
      median(found.map((one) => one[part])).toFixed(digits);
    say(
      `| ${what} | ${middle('rate', 0)} | ${middle('calls', 2)} | ${middle('processor', 2)} | ${middle('memory', 0)} |`,
    );
  }
  say(`| bare client: one patch a run | ${median(limits.one).toFixed(0)} | 1 | | |`);
  say(`| bare client: two patches a run, same life | ${median(limits.live).toFixed(0)} | 2 | | |`);
  say(
    `\nFirst signature after ${median(first).toFixed(2)} s; ${later.toFixed(2)} s with ${signed} signed runs.`,
  );
  if (options.server === 'real' && options.kubeconfig === undefined) await troubles();
  for (const load of used) await client.send('DELETE', `/api/v1/namespaces/chains-bench-${load}`);
}

/** How long after the end of a trouble the last run is signed. */
async function troubles(): Promise<void> {
  say('\n| trouble, three replicas | runs | signed twice | last signed after |\n| --- | --- | --- | --- |');
  const trial = { runs: 300, replicas: 3 };
  const report = (what: string, { runs, signedTwice, seconds }: Report): void =>
    say(`| ${what} | ${runs} | ${signedTwice} | ${seconds} s |`);
  report('one is killed every 1 to 3 s', await killed(trial, [1_000, 3_000]));
  for (const what of everyAway) report(`away for 20 s: ${what}`, await away(what, trial, 20));
}
