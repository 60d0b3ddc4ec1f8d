import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { at, type JsonObject, listAt, objectIn, textIn } from '../../src/json.ts';
import type { RunKind } from '../../src/model/run.ts';
import type { ControllerProcess } from '../integration/controller-process.ts';
import { eventually, itemsAt, openWorld, runsPath, type World } from '../integration/world.ts';
import { type Cluster, startBareCluster } from './cluster.ts';
import { freePorts } from './process.ts';
import { startTekton } from './tekton.ts';

/** A cluster with Tekton at work, what the runs of the catalogue refer to, and our controller as a process. */
export interface TektonWorld {
  readonly world: World;
  readonly cluster: Cluster;
  readonly controller: ControllerProcess;
  /** Creates the runs of the catalogue, and does with them what users do: cancels some, approves what waits for it. */
  createCatalogue(): Promise<void>;
  /** The sum of a metric of our controller's over all that match these labels. */
  metric(name: string, labels?: string): Promise<number>;
  /** Resolves when the first step of a TaskRun is running. */
  working(taskRun: string): Promise<JsonObject>;
  /** The TaskRuns of a run, as the cluster has them. */
  taskRunsOf(run: JsonObject): Promise<readonly JsonObject[]>;
  /** What Tekton and the controller have said last. */
  said(): string;
  close(): Promise<void>;
}

/** Everything is kept on the runs, and the images of a PipelineRun's TaskRuns count as its own. */
const config = {
  ...Object.fromEntries(
    ['taskrun', 'pipelinerun', 'oci'].map((kind) => [`artifacts.${kind}.storage`, 'tekton']),
  ),
  'artifacts.taskrun.format': 'slsa/v2alpha4',
  'artifacts.pipelinerun.format': 'slsa/v2alpha4',
  'artifacts.pipelinerun.enable-deep-inspection': 'true',
  'signing.deletion-grace': '10s',
};

/** What users set in `spec.status`, once this TaskRun is at work. */
const interventions: readonly (readonly [RunKind, string, status: string, taskRun: string])[] = [
  ['TaskRun', 'cancelled', 'TaskRunCancelled', 'cancelled'],
  ['PipelineRun', 'pipeline-cancelled', 'Cancelled', 'pipeline-cancelled-wait'],
  ['PipelineRun', 'pipeline-stopped', 'CancelledRunFinally', 'pipeline-stopped-wait'],
];

const customRuns = '/apis/tekton.dev/v1beta1/namespaces/default/customruns';
const file = (name: string): string => fileURLToPath(new URL(`tekton/${name}`, import.meta.url));

/** Opens it; resolves when Tekton and our controller are at work. */
export async function openTektonWorld(): Promise<TektonWorld> {
  const cluster = await startBareCluster();
  const world = await openWorld(cluster);
  const [metricsPort = 0] = await freePorts(1);
  const tekton = await startTekton(cluster, world.call).catch(async (error: unknown) => {
    await world.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await tekton.close();
    await world.close();
  };
  const page = async (): Promise<string> =>
    (await request(`http://127.0.0.1:${metricsPort}/metrics`)).body.text();
  const working: TektonWorld['working'] = (name) =>
    eventually(`a step of ${name} runs`, async () => {
      const run = await world.run(name);
      return at(listAt(run, 'status', 'steps')[0], 'running') === undefined ? undefined : run;
    });
  const intervene = async (path: string, body: JsonObject): Promise<void> => {
    const answer = await world.call('PATCH', path, body, 'application/merge-patch+json');
    assert.equal(answer.status, 200, `${path}: ${textIn(at(answer.body, 'message'))}`);
  };
  try {
    await cluster.kubectl(['apply', '-f', file('tasks.yaml')]);
    await world.configure(config);
    const controller = world.startProcess(['--metrics-port', `${metricsPort}`]);
    await eventually(
      () => `the controller watches: ${controller.log()}`,
      async () => {
        const watches = (await page().catch(() => '')).match(/^chains_watch_up\{.*runs"\} 1$/gm) ?? [];
        return watches.length === 2 ? true : undefined;
      },
    );
    return {
      ...{ world, cluster, controller, working, close },
      async createCatalogue() {
        await cluster.kubectl(['create', '-f', file('runs.yaml')]);
        for (const [kind, name, status, taskRun] of interventions) {
          await working(taskRun);
          await intervene(`${runsPath(kind)}/${name}`, { spec: { status } });
        }
        const custom = await eventually(
          'Tekton asks for the custom task',
          async () => (await itemsAt(world, customRuns))[0],
        );
        const approved = { type: 'Succeeded', status: 'True', reason: 'Approved' };
        const conditions = [{ ...approved, lastTransitionTime: new Date().toISOString() }];
        const name = textIn(at(custom, 'metadata', 'name'));
        await intervene(`${customRuns}/${name}/status`, { status: { conditions } });
      },
      async metric(name, labels = '') {
        const lines = (await page()).matchAll(new RegExp(`^${name}(?:\\{${labels}[^}]*\\})? (\\d+)$`, 'gm'));
        return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
      },
      taskRunsOf(run) {
        const names = listAt(run, 'status', 'childReferences')
          .filter((child) => at(child, 'kind') === 'TaskRun')
          .map((child) => textIn(at(child, 'name')));
        return Promise.all(names.map(async (name) => objectIn(await world.run(name))));
      },
      said: () => `Tekton: ${tekton.complaints()}\nThe controller: ${controller.log().slice(-3000)}`,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
