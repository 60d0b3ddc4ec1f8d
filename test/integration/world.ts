import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { Backoff } from '../../src/controller/backoff.ts';
import { type Controller, type ControllerOptions, startController } from '../../src/controller/index.ts';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { at, isJsonList, isJsonObject, type Json, type JsonObject } from '../../src/json.ts';
import type { RunKind } from '../../src/model/run.ts';
import { openLog } from '../../src/telemetry/logs.ts';
import {
  type ControllerProcess,
  type ProcessSurroundings,
  startControllerProcess,
} from './controller-process.ts';
import { assertNoSecrets } from './no-secrets.ts';

/** A cluster to test on: the sandbox, or a real API server. */
export interface TestCluster {
  readonly url: string;
  readonly token: string;
  readonly ca?: string;
  /** Text of a kubeconfig. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a run is made of in a test. */
export interface RunParts {
  readonly metadata?: JsonObject;
  readonly spec?: JsonObject;
  readonly status?: unknown;
  readonly version?: 'v1' | 'v1beta1';
  readonly kind?: RunKind;
}

/** A cluster with a key, a configuration and whatever controllers a test starts on it. */
export interface World {
  readonly cluster: TestCluster;
  readonly folder: string;
  readonly kubeconfigFile: string;
  /** Where the signing keys are; `x509.pem` is there from the start. */
  readonly secretsFolder: string;
  /** PEM. */
  readonly publicKey: string;
  /** What the controllers logged, a JSON line each. */
  readonly logged: string[];
  call(
    method: Method,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<{ status: number; body: JsonObject }>;
  /** The text of a GET. */
  text(path: string): Promise<string>;
  /** Creates a TaskRun, or a run of another kind, in namespace `default`, and writes its status where it has one, as Tekton does. */
  createRun(name: string, parts?: RunParts): Promise<JsonObject>;
  /** Owner references to a PipelineRun, which is created if it isn't there, as Tekton gives them to its TaskRuns. */
  ownedBy(pipelineRun: string): Promise<JsonObject>;
  writeStatus(name: string, status: unknown, version?: 'v1' | 'v1beta1', kind?: RunKind): Promise<void>;
  run(name: string, kind?: RunKind): Promise<JsonObject | undefined>;
  /** Replaces the data of `chains-config`. */
  configure(data: Readonly<Record<string, string>>): Promise<void>;
  startController(options?: Partial<ControllerOptions>): Promise<Controller>;
  /** `chains controller` in a process of its own, with these options more. */
  startProcess(options?: readonly string[], surroundings?: ProcessSurroundings): ControllerProcess;
  close(): Promise<void>;
}

/** Long enough for a busy machine; a test that waits this long has failed. */
const longestWait = 60_000;

/** The condition of a run that has succeeded. */
export const succeeded: JsonObject = { type: 'Succeeded', status: 'True', reason: 'Succeeded' };

/** The status of a TaskRun that has succeeded and names no image. */
export const doneStatus: JsonObject = {
  conditions: [succeeded],
  startTime: '2026-01-01T10:00:00Z',
  completionTime: '2026-01-01T10:01:00Z',
};

/** The status of a TaskRun at work. */
export const runningStatus: JsonObject = {
  conditions: [{ type: 'Succeeded', status: 'Unknown', reason: 'Running' }],
};

/** Where the runs of a kind in namespace `default` are. */
export function runsPath(kind: RunKind = 'TaskRun', version = 'v1'): string {
  return `/apis/tekton.dev/${version}/namespaces/default/${kind.toLowerCase()}s`;
}

/** Where the TaskRuns of namespace `default` are. */
export const taskRuns = runsPath();

/** Opens a world on a cluster; closing it closes the cluster, and fails where a controller's log shows a secret. */
export async function openWorld(cluster: TestCluster): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-test-'));
  const [kubeconfigFile, secretsFolder] = [join(folder, 'kubeconfig'), join(folder, 'secrets')];
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await mkdir(secretsFolder, { mode: 0o700 });
  await writeFile(kubeconfigFile, cluster.kubeconfig);
  await writeFile(join(secretsFolder, 'x509.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const dispatcher = new Agent(cluster.ca === undefined ? {} : { connect: { ca: cluster.ca } });
  const controllers: Controller[] = [];
  const processes: ControllerProcess[] = [];
  const logged: string[] = [];

  const call: World['call'] = async (method, path, body, contentType = 'application/json') => {
    const answer = await request(cluster.url + path, {
      method,
      dispatcher,
      headers: { authorization: `Bearer ${cluster.token}`, 'content-type': contentType },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const json: unknown = await answer.body.json();
    return { status: answer.statusCode, body: isJsonObject(json) ? json : {} };
  };
  const text: World['text'] = async (path) => {
    const headers = { authorization: `Bearer ${cluster.token}` };
    return (await request(cluster.url + path, { dispatcher, headers })).body.text();
  };
  const must = async (
    method: Method,
    path: string,
    body: unknown,
    contentType?: string,
  ): Promise<JsonObject> => {
    const answer = await call(method, path, body, contentType);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${String(at(answer.body, 'message'))}`);
    return answer.body;
  };
  const writeStatus: World['writeStatus'] = async (name, status, version, kind) => {
    await must(
      'PATCH',
      `${runsPath(kind, version)}/${name}/status`,
      { status },
      'application/merge-patch+json',
    );
  };

  return {
    ...{ cluster, folder, kubeconfigFile, secretsFolder, logged, call, text, writeStatus },
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    async createRun(name, { metadata = {}, spec = {}, status, version = 'v1', kind = 'TaskRun' } = {}) {
      const body = {
        apiVersion: `tekton.dev/${version}`,
        kind,
        metadata: { name, ...metadata },
        spec,
      };
      const created = await must('POST', runsPath(kind, version), body);
      if (status !== undefined) await writeStatus(name, status, version, kind);
      return created;
    },
    async ownedBy(name) {
      const path = runsPath('PipelineRun');
      const body = { apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata: { name }, spec: {} };
      const there = await call('GET', `${path}/${name}`);
      const pipelineRun = there.status === 404 ? await must('POST', path, body) : there.body;
      const uid = at(pipelineRun, 'metadata', 'uid') ?? null;
      const owner = { apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', name, uid, controller: true };
      return { ownerReferences: [owner] };
    },
    async run(name, kind) {
      const { status, body } = await call('GET', `${runsPath(kind)}/${name}`);
      return status === 404 ? undefined : body;
    },
    async configure(data) {
      const path = '/api/v1/namespaces/tekton-chains/configmaps';
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'chains-config' }, data };
      const created = await call('POST', path, body);
      if (created.status === 409) await must('PUT', `${path}/chains-config`, body);
      else if (created.status >= 300)
        throw new Error(`the ConfigMap could not be created: ${created.status}`);
    },
    async startController(options = {}) {
      const controller = await startController({
        connection: await openConnection({ kubeconfig: kubeconfigFile }),
        systemNamespace: 'tekton-chains',
        namespaces: [],
        secretsFolder,
        concurrency: 8,
        metricsPort: 0,
        healthPort: 0,
        log: await openLog({ level: 'debug', write: (line) => logged.push(line) }),
        pace: {
          backoff: new Backoff(50, 2_000),
          silence: 1_500,
          secrets: 200,
          sweep: { beforePage: 50, pageSize: 50, between: 500 },
        },
        ...options,
      });
      controllers.push(controller);
      return controller;
    },
    startProcess(options = [], surroundings = {}) {
      const started = startControllerProcess({ kubeconfigFile, secretsFolder }, options, surroundings);
      processes.push(started);
      return started;
    },
    async close() {
      for (const controller of controllers) await controller.stop();
      for (const started of processes) await started.end('SIGKILL');
      await dispatcher.close();
      await cluster.close();
      const logs = [...logged, ...processes.map((started) => started.log())];
      await assertNoSecrets({ secretsFolder, token: cluster.token, logs });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Asks again and again until there is an answer; fails after a minute, saying what was waited for. */
export async function eventually<T>(
  what: string | (() => string),
  ask: () => Promise<T | undefined> | T | undefined,
  within = longestWait,
): Promise<T> {
  const end = Date.now() + within;
  while (Date.now() < end) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await pause(20);
  }
  throw new Error(`waited ${within / 1000} s in vain: ${typeof what === 'string' ? what : what()}`);
}

/** An annotation of `chains.tekton.dev/`. */
export function mark(run: JsonObject | undefined, name: string): string | undefined {
  const value = at(run, 'metadata', 'annotations', `chains.tekton.dev/${name}`);
  return typeof value === 'string' ? value : undefined;
}

/** Waits until a run has its end state. */
export function ended(world: World, name: string, kind?: RunKind): Promise<JsonObject> {
  return eventually(`run ${name} is marked`, async () => {
    const run = await world.run(name, kind);
    return mark(run, 'signed') !== undefined && mark(run, 'signed') !== '' ? run : undefined;
  });
}

/** The objects of a list. */
export async function itemsAt(world: World, path: string): Promise<readonly Json[]> {
  const { status, body } = await world.call('GET', path);
  const items = at(body, 'items');
  if (!isJsonList(items)) throw new Error(`GET ${path}: ${status}, and no list`);
  return items;
}

/** The controller's metrics, as text. */
export async function metricsPage(controller: Controller): Promise<string> {
  return (await request(`http://127.0.0.1:${controller.metricsPort}/metrics`)).body.text();
}

/** How many calls the controller has made on runs, TaskRuns if nothing else is said, by verb, as its metrics tell. */
export async function callsOnRuns(
  controller: Controller,
  plural = 'taskruns',
): Promise<Readonly<Record<string, number>>> {
  const page = await metricsPage(controller);
  const calls: Record<string, number> = {};
  for (const [, verb = '', count] of page.matchAll(
    new RegExp(`^chains_api_calls_total\\{verb="(\\w+)",resource="${plural}[^}]*\\} (\\d+)$`, 'gm'),
  )) {
    calls[verb] = (calls[verb] ?? 0) + Number(count);
  }
  return calls;
}
