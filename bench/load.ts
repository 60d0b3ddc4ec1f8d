import { setTimeout as pause } from 'node:timers/promises';
import { at, type JsonObject } from '../src/json.ts';
import { signedMark } from '../src/model/marks.ts';
import { type BareClient, inParallel, mediaTypes } from './bare-client.ts';
import { begun, done, measurementLabel, newRun, type RunSize } from './runs.ts';

/** The runs of one measurement, in a namespace of their own. */
export interface Load {
  readonly namespace: string;
  readonly names: readonly string[];
  readonly size: RunSize;
}

/** What is done to a run at two points of its life; the controller's part, when a bare client plays it. */
export interface Observer {
  begun(name: string): Promise<void>;
  done(name: string): Promise<void>;
}

const writers = 32;

/** A namespace with the configuration that is measured, and names for so many runs. */
export async function openLoad(
  client: BareClient,
  name: string,
  runs: number,
  size: RunSize = '5 KB',
): Promise<Load> {
  const namespace = `chains-bench-${name}`;
  await client.send('POST', '/api/v1/namespaces', JSON.stringify({ metadata: { name: namespace } }));
  const data = {
    'artifacts.taskrun.format': 'tekton',
    'artifacts.taskrun.storage': 'tekton',
    'artifacts.oci.storage': 'tekton',
  };
  const configuration = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'chains-config' }, data };
  await client.send('POST', `/api/v1/namespaces/${namespace}/configmaps`, JSON.stringify(configuration));
  return { namespace, names: Array.from({ length: runs }, (_, index) => `run-${index}`), size };
}

/** Where the runs of a load, or one of them, are. */
export function pathOf({ namespace }: Load, name?: string): string {
  const all = `/apis/tekton.dev/v1/namespaces/${namespace}/taskruns`;
  return name === undefined ? all : `${all}/${name}`;
}

/** Creates all runs, done. With `marks` they bear those of runs that are signed. */
export async function createDone(client: BareClient, load: Load, marks: JsonObject = {}): Promise<void> {
  await inParallel(load.names, writers, async (name) => {
    const run = newRun(load.namespace, name, load.namespace, load.size);
    const labels = {
      [measurementLabel]: load.namespace,
      ...(marks['labels'] instanceof Object ? marks['labels'] : {}),
    };
    const metadata = { name, namespace: load.namespace, ...marks, labels };
    await client.send('POST', pathOf(load), JSON.stringify({ ...run, metadata }));
    await writeStatus(client, load, name, done(name));
  });
}

/** How runs live: so many at once, of so many milliseconds each. */
export interface Lives {
  readonly atOnce: number;
  readonly milliseconds: number;
}

/** As many at once as the API server takes, of half a second: what is measured is how fast they can be followed. */
export const crowded: Lives = { atOnce: 256, milliseconds: 500 };

/** As Tekton's, fewer and longer: what is measured is what one costs. */
export const calm: Lives = { atOnce: 32, milliseconds: 1_500 };

/** Lets all runs live: each is created, begins at once, and is done later. */
export async function playLives(
  client: BareClient,
  load: Load,
  { atOnce, milliseconds }: Lives = crowded,
  observer?: Observer,
): Promise<void> {
  await inParallel(load.names, atOnce, async (name) => {
    await client.send(
      'POST',
      pathOf(load),
      JSON.stringify(newRun(load.namespace, name, load.namespace, load.size)),
    );
    await writeStatus(client, load, name, begun);
    await observer?.begun(name);
    await pause(milliseconds);
    await writeStatus(client, load, name, done(name));
    await observer?.done(name);
  });
}

/** Begins to count marks, from this moment on: nothing that is marked afterwards is missed. */
export async function expectMarks(client: BareClient, load: Load): Promise<{ readonly all: Promise<void> }> {
  const list = await client.send('GET', `${pathOf(load)}?limit=1`);
  return { all: allMarked(client, load, String(at(list, 'metadata', 'resourceVersion'))) };
}

/** Resolves when all runs of the load are marked; rejects when one is marked as failed. */
async function allMarked(client: BareClient, load: Load, resourceVersion: string): Promise<void> {
  const stop = new AbortController();
  const labelSelector = `${signedMark} in (true,failed)`;
  const query = new URLSearchParams({ watch: 'true', labelSelector, resourceVersion }).toString();
  let marked = 0;
  for await (const line of client.watch(`${pathOf(load)}?${query}`, stop.signal)) {
    if (line.includes(`"${signedMark}":"failed"`)) throw new Error(`a run could not be signed: ${line}`);
    if (line.startsWith('{"type":"ADDED"')) marked += 1;
    if (marked === load.names.length) break;
  }
  stop.abort();
}

async function writeStatus(client: BareClient, load: Load, name: string, status: JsonObject): Promise<void> {
  await client.send('PATCH', `${pathOf(load, name)}/status`, JSON.stringify({ status }), mediaTypes.merge);
}
