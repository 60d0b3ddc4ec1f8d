import { at, isJsonObject, type JsonObject } from '../src/json.ts';
import { finalizers, signedMark } from '../src/model/marks.ts';
import { type BareClient, inParallel, mediaTypes } from './bare-client.ts';
import {
  crowded,
  expectMarks,
  createDone,
  type Load,
  type Observer,
  openLoad,
  pathOf,
  playLives,
} from './load.ts';

/** The numbers of writers among which the best one is looked for. */
export const writersTried = [4, 8, 16, 32] as const;

/** The marks of a signed run, without what belongs to that run alone: what the bare client writes. */
export function marksOf(run: JsonObject): JsonObject {
  return { annotations: at(run, 'metadata', 'annotations') ?? {}, labels: { [signedMark]: 'true' } };
}

/** Runs a second that a bare client can mark where runs are done already. */
export async function backlogLimit(
  client: BareClient,
  name: string,
  runs: number,
  marks: JsonObject,
  writers: number,
): Promise<number> {
  const load = await openLoad(client, name, runs);
  await createDone(client, load);
  const marked = await expectMarks(client, load);
  const observer = bareObserver(client, load, marks);
  const start = performance.now();
  await inParallel(load.names, writers, async (run) => {
    await observer.done(run);
  });
  await marked.all;
  return rate(runs, start);
}

/** Runs a second that a bare client can mark, two patches each, while they live. */
export async function liveLimit(
  client: BareClient,
  name: string,
  runs: number,
  marks: JsonObject,
): Promise<number> {
  const load = await openLoad(client, name, runs);
  const marked = await expectMarks(client, load);
  const start = performance.now();
  await playLives(client, load, crowded, bareObserver(client, load, marks));
  await marked.all;
  return rate(runs, start);
}

/** Runs a second since `start`, of `performance.now()`. */
export function rate(runs: number, start: number): number {
  return (runs / (performance.now() - start)) * 1000;
}

function bareObserver(client: BareClient, load: Load, marks: JsonObject): Observer {
  const apply = async (name: string, metadata: JsonObject): Promise<void> => {
    const body = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata: { name, ...metadata } };
    const path = `${pathOf(load, name)}?fieldManager=bench&force=true`;
    await client.send('PATCH', path, JSON.stringify(body), mediaTypes.apply);
  };
  const annotations = isJsonObject(marks['annotations']) ? marks['annotations'] : {};
  return {
    begun: (name) => apply(name, { finalizers: [finalizers.TaskRun], annotations: {} }),
    done: (name) => apply(name, { ...marks, annotations }),
  };
}
