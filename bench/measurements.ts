import type { BareClient } from './bare-client.ts';
import { type MeasuredController, startMeasuredController } from './controller-process.ts';
import { rate } from './limit.ts';
import { createDone, expectMarks, type Lives, type Load, openLoad, pathOf, playLives } from './load.ts';
import type { RunSize } from './runs.ts';
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
  /** Processor seconds for 1,000 runs, of all controllers, from the start of their processes. */
  readonly processor: number;
  /** MiB, of the controller that took the most. */
  readonly memory: number;
  /** One of the runs, signed. */
  readonly sample: JsonObject;
}

/** How a measurement differs from the plain one. */
export interface Variation {
  readonly size?: RunSize;
  /** Controllers at once. */
  readonly replicas?: number;
  readonly lives?: Lives;
}

/** All runs are done when the controllers start; the clock runs from the first moment of their processes. */
export async function backlog(
  bench: Bench,
  name: string,
  runs: number,
  { size, replicas = 1 }: Variation = {},
): Promise<Throughput> {
  const load = await openLoad(bench.client, name, runs, size);
  await createDone(bench.client, load);
  const marked = await expectMarks(bench.client, load);
  const controllers = Array.from({ length: replicas }, () => start(bench, load));
  return outcome(bench, load, controllers, controllers[0]?.started ?? 0, marked);
}

/** Runs begin and end while the controllers watch. */
export async function live(
  bench: Bench,
  name: string,
  runs: number,
  { size, replicas = 1, lives }: Variation = {},
): Promise<Throughput> {
  const load = await openLoad(bench.client, name, runs, size);
  const controllers = Array.from({ length: replicas }, () => start(bench, load));
  for (const controller of controllers) await controller.ready();
  const marked = await expectMarks(bench.client, load);
  const begin = performance.now();
  await playLives(bench.client, load, lives);
  return outcome(bench, load, controllers, begin, marked);
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
  controllers: readonly MeasuredController[],
  begin: number,
  marked: { readonly all: Promise<void> },
): Promise<Throughput> {
  await marked.all;
  const runs = load.names.length;
  const signed = rate(runs, begin);
  const figures = await Promise.all(
    controllers.map(async (controller) => ({
      processor: await controller.processorSeconds(),
      calls: await controller.writes(),
      memory: await controller.peakMemory(),
    })),
  );
  const sum = (part: 'processor' | 'calls'): number => figures.reduce((all, one) => all + one[part], 0);
  const memory = Math.max(...figures.map((one) => one.memory));
  const sample = await client.send('GET', pathOf(load, 'run-0'));
  for (const controller of controllers) await controller.stop();
  return {
    rate: signed,
    calls: sum('calls') / runs,
    processor: (sum('processor') / runs) * 1000,
    memory,
    sample,
  };
}
