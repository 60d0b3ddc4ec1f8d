import { setTimeout as pause } from 'node:timers/promises';
import { at } from '../../src/json.ts';
import type { ControllerProcess } from '../integration/controller-process.ts';
import { startRelay } from '../integration/relay.ts';
import { isThrough, recordRuns, type RunRecord } from '../integration/run-record.ts';
import { doneStatus, eventually, mark, openWorld, runningStatus, type World } from '../integration/world.ts';
import { digestIn, RepositoryView } from '../store/oci/world.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { startFakeGcs } from './gcs.ts';
import { startDockerRegistry } from './registries.ts';
import { startRealVault } from './vault.ts';

/** What became of all runs. */
export interface Report {
  readonly runs: number;
  readonly unsigned: number;
  readonly signedTwice: number;
  /** Runs that still have our finalizer. */
  readonly held: number;
  /** Runs that are signed and bear a message. */
  readonly withMessage: number;
  /** From the end of the trouble until the last run was signed and let go. */
  readonly seconds: number;
}

/** How large a trial is. */
export interface Trial {
  readonly runs: number;
  readonly replicas: number;
}

/** A back end of which the chaos suite knows how to take it away. */
export type Away = 'API server stopped' | 'API server killed' | 'registry' | 'bucket' | 'KMS';

/** All of them. */
export const everyAway: readonly Away[] = [
  'API server stopped',
  'API server killed',
  'registry',
  'bucket',
  'KMS',
];

interface Stage {
  readonly cluster: Cluster;
  readonly world: World;
  readonly record: RunRecord;
  readonly replicas: ControllerProcess[];
  startReplica(index: number, node?: readonly string[]): void;
  /** Runs created so far. */
  created: number;
  /** Results for one more run. */
  results: () => Promise<readonly object[]>;
}

/** SIGKILL to a random replica every few seconds; each starts again at once, as a container does. */
export function killed({ runs, replicas }: Trial, every: readonly [number, number]): Promise<Report> {
  return onStage(replicas, {}, async (stage) => {
    const created = createRuns(stage, runs);
    let isOver = false;
    const over = created.then(() => {
      isOver = true;
    });
    while (!isOver) {
      await Promise.race([over, pause(every[0] + Math.random() * (every[1] - every[0]))]);
      const index = Math.floor(Math.random() * replicas);
      await stage.replicas[index]?.end('SIGKILL');
      stage.startReplica(index);
    }
    await over;
  });
}

/** One replica is frozen for so many seconds in the middle of its work, and wakes up. */
export function frozen({ runs, replicas }: Trial, seconds: number): Promise<Report> {
  return onStage(replicas, {}, async (stage) => {
    const creating = createRuns(stage, runs, seconds);
    await pause(500);
    const [sleeper] = stage.replicas;
    sleeper?.signal('SIGSTOP');
    await pause(seconds * 1000);
    sleeper?.signal('SIGCONT');
    await creating;
  });
}

/** The clocks of the replicas differ by half a minute, to both sides, and one of them is killed. */
export function skewed({ runs, replicas }: Trial): Promise<Report> {
  return onStage(replicas, {}, async (stage) => {
    for (const index of stage.replicas.keys()) {
      await stage.replicas[index]?.end('SIGTERM');
      stage.startReplica(index, clockOffBy((index - 1) * 30_000));
    }
    await createRuns(stage, runs);
    await stage.replicas[0]?.end('SIGKILL');
    await createRuns(stage, runs);
  });
}

/** Runs are deleted about when they finish. */
export async function deleted({
  runs,
  replicas,
}: Trial): Promise<Report & { readonly goneUnsigned: number }> {
  let goneUnsigned = 0;
  const report = await onStage(replicas, {}, async (stage) => {
    await inTurn(runs, async (index) => {
      const name = `deleted-${index}`;
      await stage.world.createRun(name, { status: runningStatus });
      stage.created += 1;
      await pause(400 + 400 * Math.random());
      const path = `/apis/tekton.dev/v1/namespaces/default/taskruns/${name}`;
      await stage.world.writeStatus(name, doneStatus);
      await stage.world.call('DELETE', path);
    });
    const gone = () => eachGone(stage.world, runs);
    await eventually('every run is gone', async () => ((await gone()) ? true : undefined));
    goneUnsigned = stage.record.all().filter((run) => mark(run, 'signed') !== 'true').length;
  });
  return { ...report, goneUnsigned };
}

/** A back end is away for so many seconds, while runs finish. */
export async function away(what: Away, { runs, replicas }: Trial, seconds: number): Promise<Report> {
  const backend = await openBackend(what);
  try {
    return await onStage(replicas, backend, async (stage) => {
      stage.results = backend.results;
      await createRuns(stage, Math.ceil(runs / 10), 0, 'before');
      const creating = createRuns(stage, runs, seconds);
      await pause(200);
      await backend.take(stage.cluster);
      await pause(seconds * 1000);
      await backend.giveBack(stage.cluster);
      await creating;
    });
  } finally {
    await backend.close();
  }
}

interface Backend {
  readonly configuration?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly results: () => Promise<readonly object[]>;
  take(cluster: Cluster): Promise<void> | void;
  giveBack(cluster: Cluster): Promise<void> | void;
  close(): Promise<void>;
}

const noResults = async (): Promise<readonly object[]> => [];

async function openBackend(what: Away): Promise<Backend> {
  const nothing = async (): Promise<void> => {};
  if (what === 'API server stopped')
    return {
      results: noResults,
      take: (cluster) => cluster.signalServer('SIGSTOP'),
      giveBack: (cluster) => cluster.signalServer('SIGCONT'),
      close: nothing,
    };
  if (what === 'API server killed')
    return {
      results: noResults,
      take: (cluster) => cluster.signalServer('SIGKILL'),
      giveBack: (cluster) => cluster.restartServer(),
      close: nothing,
    };
  const { port, close, configuration, environment, results } = await openServer(what);
  const relay = await startRelay(port);
  return {
    configuration: configuration(relay.port),
    environment: environment(relay.port),
    results: () => results(relay.port),
    take: () => relay.refuse(),
    giveBack: () => relay.restore(),
    async close() {
      await relay.close();
      await close();
    },
  };
}

async function openServer(what: 'registry' | 'bucket' | 'KMS') {
  const none = () => ({});
  if (what === 'registry') {
    const registry = await startDockerRegistry();
    const app = new RepositoryView(registry, 'app');
    let [images, pushed]: [number, Promise<string>] = [0, Promise.resolve('')];
    return {
      port: Number(registry.host.split(':')[1]),
      configuration: () => ({ 'artifacts.taskrun.storage': 'tekton,oci' }),
      environment: none,
      async results(port: number) {
        // One after the other: they share a blob, of which this registry takes no two uploads at once.
        pushed = pushed.then(() => app.pushImage(`image ${(images += 1)}`));
        const image = await pushed;
        return [
          { name: 'IMAGE_URL', value: `localhost:${port}/app` },
          { name: 'IMAGE_DIGEST', value: digestIn(image) },
        ];
      },
      close: () => registry.close(),
    };
  }
  if (what === 'bucket') {
    const gcs = await startFakeGcs();
    return {
      port: gcs.gate.port,
      configuration: () => ({ 'artifacts.taskrun.storage': 'tekton,gcs', 'storage.gcs.bucket': 'chains' }),
      environment: (port: number) => ({ STORAGE_EMULATOR_HOST: `127.0.0.1:${port}` }),
      results: noResults,
      close: () => gcs.close(),
    };
  }
  const vault = await startRealVault();
  await vault.createKey('chains', 'P-256');
  const token = await vault.createToken('signer');
  return {
    port: Number(new URL(vault.address).port),
    configuration: (port: number) => ({
      'artifacts.taskrun.signer': 'kms',
      'artifacts.oci.signer': 'none',
      'signers.kms.kmsref': 'hashivault://chains',
      'signers.kms.auth.address': `http://127.0.0.1:${port}`,
      'signers.kms.auth.token': token,
    }),
    environment: none,
    results: noResults,
    close: () => vault.close(),
  };
}

/** Opens a world with replicas, makes trouble, and waits until all is well again. */
async function onStage(
  replicas: number,
  { configuration = {}, environment = {} }: Pick<Backend, 'configuration' | 'environment'>,
  trouble: (stage: Stage) => Promise<void>,
): Promise<Report> {
  const cluster = await startCluster();
  const world = await openWorld(cluster);
  try {
    await world.configure(configuration);
    const record = await recordRuns(world);
    const processes: ControllerProcess[] = [];
    const stage: Stage = {
      ...{ cluster, world, record, replicas: processes, created: 0, results: noResults },
      startReplica(index, node = []) {
        processes[index] = world.startProcess(['--name', `replica-${index}`], { node, environment });
      },
    };
    for (let index = 0; index < replicas; index += 1) stage.startReplica(index);
    await trouble(stage);
    const ended = performance.now();
    await eventually(
      () => `all runs are signed: ${JSON.stringify(reportOf(record, ended))}`,
      async () => {
        await record.look();
        const all = record.all();
        if (all.length === stage.created && all.every(isThrough)) return true;
        return pause(200, undefined);
      },
      180_000,
    );
    const report = reportOf(record, ended);
    for (const replica of processes) await replica.end('SIGTERM');
    await record.stop();
    return report;
  } finally {
    await world.close();
  }
}

function reportOf(record: RunRecord, ended: number): Report {
  const runs = record.all();
  const isHeld = (run: object): boolean =>
    (at(run, 'metadata', 'finalizers') ?? []).toString().includes('chains.tekton.dev');
  const isSigned = (run: (typeof runs)[number]): boolean => mark(run, 'signed') === 'true';
  return {
    runs: runs.length,
    unsigned: runs.filter((run) => !isSigned(run)).length,
    signedTwice: runs.filter((run) => record.signaturesOf(String(at(run, 'metadata', 'uid'))).size > 1)
      .length,
    held: runs.filter(isHeld).length,
    withMessage: runs.filter((run) => isSigned(run) && mark(run, 'message') !== undefined).length,
    seconds: Math.round((performance.now() - ended) / 100) / 10,
  };
}

/** Creates runs that finish soon, all of them within so many seconds; a call that gets no answer is made again. */
async function createRuns(stage: Stage, runs: number, within = 0, prefix = 'run'): Promise<void> {
  const id = `${prefix}-${Date.now().toString(36)}`;
  const began = Date.now();
  await inTurn(runs, async (index) => {
    await pause(Math.max(0, began + (within * 1000 * index) / runs - Date.now()));
    const name = `${id}-${index}`;
    await untilItWorks(() => stage.world.createRun(name));
    stage.created += 1;
    if (index % 3 > 0) {
      await untilItWorks(() => stage.world.writeStatus(name, runningStatus));
      await pause(400 * Math.random());
    }
    const results = await stage.results();
    await untilItWorks(() => stage.world.writeStatus(name, { ...doneStatus, results }));
  });
}

async function untilItWorks(call: () => Promise<unknown>): Promise<void> {
  for (let isDone = false; !isDone; )
    isDone = await call().then(
      () => true,
      async (error: unknown) => {
        // It took effect, though the answer was lost.
        if (/: 409 .*already exists/.test(String(error))) return true;
        await pause(500);
        return false;
      },
    );
}

async function eachGone(world: World, runs: number): Promise<boolean> {
  for (let index = 0; index < runs; index += 1)
    if ((await world.run(`deleted-${index}`)) !== undefined) return false;
  return true;
}

/** Does something so many times, some at once. */
async function inTurn(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

/** Options of Node that set the process' clock forward, or back. */
function clockOffBy(milliseconds: number): readonly string[] {
  const program = `const now = Date.now; Date.now = () => now() + ${milliseconds};
    const Real = Date; globalThis.Date = class extends Real {
      constructor(...parts) { if (parts.length === 0) super(Real.now()); else super(...parts); }
    };`;
  return ['--import', `data:text/javascript,${encodeURIComponent(program)}`];
}
