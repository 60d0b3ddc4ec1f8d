// `npm run bench`: what the controller costs, and what the API server could do at best, measured in one go.

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Command, Option } from 'commander';
import { type BareClient, openBareClient } from './bare-client.ts';
import { type ClusterChoice, openCluster } from './cluster.ts';
import { backlogLimit, liveLimit, marksOf, writersTried } from './limit.ts';
import { backlog, type Bench, firstSignature, live, type Throughput } from './measurements.ts';
import { measurePayloads } from './payloads.ts';
import { median, say, share } from './report.ts';
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
  .option('--rounds <number>', 'how often; the medians are told', '3')
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

interface Row {
  readonly backlog: Throughput;
  readonly one: number;
  readonly two: number;
  readonly live: Throughput;
  readonly liveLimit: number;
  readonly first: number;
}

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
  const bestOf = async (patches: 1 | 2): Promise<number> => {
    const found: { writers: number; rate: number }[] = [];
    for (const writers of writersTried)
      found.push({ writers, rate: await backlogLimit(client, name(), runs, marks, { patches, writers }) });
    say(
      `bare client, ${patches} a run, by writers: ${found.map(({ writers, rate }) => `${writers}: ${rate.toFixed(0)}/s`).join('  ')}`,
    );
    return found.toSorted((one, other) => other.rate - one.rate)[0]?.writers ?? 16;
  };
  const [oneBest, twoBest] = [await bestOf(1), await bestOf(2)];

  const rows: Row[] = [];
  for (let round = 0; round < rounds; round++) {
    rows.push({
      backlog: await backlog(bench, name(), runs),
      one: await backlogLimit(client, name(), runs, marks, { patches: 1, writers: oneBest }),
      two: await backlogLimit(client, name(), runs, marks, { patches: 2, writers: twoBest }),
      live: await live(bench, name(), runs),
      liveLimit: await liveLimit(client, name(), runs, marks),
      first: await firstSignature(bench, name(), 0, marks),
    });
  }
  const later = await firstSignature(bench, name(), signed, marks);

  const middle = (pick: (row: Row) => number): number => median(rows.map(pick));
  say(`medians of ${rounds} rounds of ${runs} runs of 5 KB:`);
  share(
    'backlog, from process start',
    middle((row) => row.backlog.rate),
    middle((row) => row.one),
    'one bare patch a run',
  );
  share(
    'live',
    middle((row) => row.live.rate),
    middle((row) => row.liveLimit),
    'two bare patches a run, same life',
  );
  say(`  bare client, two patches a run, no life: ${middle((row) => row.two).toFixed(0)} runs/s`);
  for (const kind of ['backlog', 'live'] as const) {
    const [calls, cpu] = [middle((row) => row[kind].calls), middle((row) => row[kind].processor)];
    const memory = middle((row) => row[kind].memory);
    say(
      `  ${kind}: ${calls.toFixed(2)} calls a run; ${cpu.toFixed(2)} s of processor for 1,000 runs, start included; peak ${memory.toFixed(0)} MiB`,
    );
  }
  say(
    `  first signature after ${middle((row) => row.first).toFixed(2)} s; ${later.toFixed(2)} s with ${signed} signed runs`,
  );
  for (const load of used) await client.send('DELETE', `/api/v1/namespaces/chains-bench-${load}`);
}
