import type { BareClient } from './bare-client.ts';
import { type MeasuredController, startMeasuredController } from './controller-process.ts';
import { rate } from './limit.ts';
import { expectMarks, createDone, type Load, openLoad, pathOf, playLives } from './load.ts';
import type { JsonObject } from '../src/json.ts';

/** What measurements share. */
export interface Bench {
  readonly client: BareClient;
  readonly kubeconfig: string;
  readonly secretsFolder: string;
  readonly concurrency: number | undefined;
  readonly nodeOptions: readonly string[] | undefined;
}

/** What the controller did, and what it took. */
export interface Throughput {
  /** Signed runs a second. */
  readonly rate: number;
  /** API calls that write, for each run. */
  readonly calls: number;
  /** Processor seconds for 1,000 runs, from the start of the process. */
  readonly processor: number;
  /** MiB. */
  readonly memory: number;
  /** One of the runs, signed. */
  readonly sample: JsonObject;
}

/** All runs are done when the controller starts; the clock runs from the first moment of its process. */
export async function backlog(bench: Bench, name: string, runs: number): Promise<Throughput> {
  const load = await openLoad(bench.client, name, runs);
  await createDone(bench.client, load);
  const marked = await expectMarks(bench.client, load);
  const controller = start(bench, load);
  return outcome(bench, load, controller, controller.started, marked);
}

/** Runs begin and end while the controller watches. */
export async function live(bench: Bench, name: string, runs: number): Promise<Throughput> {
  const load = await openLoad(bench.client, name, runs);
  const controller = start(bench, load);
  await controller.ready();
  const marked = await expectMarks(bench.client, load);
  const begin = performance.now();
  await playLives(bench.client, load);
  return outcome(bench, load, controller, begin, marked);
}

/** Seconds from the start of the process to the first signature, where so many runs bear these marks already. */
export async function firstSignature(
  bench: Bench,
  name: string,
  signed: number,
  marks: JsonObject,
): Promise<number> {
  const load = await openLoad(bench.client, name, signed);
  await createDone(bench.client, load, marks);
  const one = { ...load, names: ['first'] };
  await createDone(bench.client, one);
  const marked = await expectMarks(bench.client, one);
  const controller = start(bench, load);
  await marked.all;
  const seconds = (performance.now() - controller.started) / 1000;
  await controller.stop();
  return seconds;
}

function start(bench: Bench, { namespace }: Load): MeasuredController {
  const { kubeconfig, secretsFolder, concurrency, nodeOptions } = bench;
  return startMeasuredController({ kubeconfig, secretsFolder, concurrency, nodeOptions, namespace });
}

async function outcome(
  { client }: Bench,
  load: Load,
  controller: MeasuredController,
  begin: number,
  marked: { readonly all: Promise<void> },
): Promise<Throughput> {
  await marked.all;
  const runs = load.names.length;
  const signed = rate(runs, begin);
  const processor = ((await controller.processorSeconds()) / runs) * 1000;
  const calls = (await controller.writes()) / runs;
  const memory = await controller.peakMemory();
  const sample = await client.send('GET', pathOf(load, 'run-0'));
  await controller.stop();
  return { rate: signed, calls, processor, memory, sample };
}
