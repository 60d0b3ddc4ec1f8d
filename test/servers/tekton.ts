import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { at, isJsonObject, type Json, type JsonObject, listAt, objectIn, textIn } from '../../src/json.ts';
import { eventually, type World } from '../integration/world.ts';
import type { Cluster } from './cluster.ts';
import { freePorts, type Running, start } from './process.ts';
import { startKubelet } from './tekton-kubelet.ts';
import { type Tool, tektonManifests, tool } from './tools.ts';

/** Tekton Pipelines at work on a cluster. */
export interface Tekton {
  /** What its programs, and what plays the kubelet, have said that could explain a failure. */
  complaints(): string;
  close(): Promise<void>;
}

/** ConfigMaps of Tekton, and what is set in them other than as released. */
const settings: Readonly<Record<string, JsonObject>> = {
  'feature-flags': { 'enable-artifacts': 'true', 'enable-api-fields': 'alpha' },
  // Two programs can't serve metrics on one port, which has no setting.
  'config-observability': { 'metrics-protocol': 'none' },
};

const namespace = 'tekton-pipelines';
const webhookService = 'tekton-pipelines-webhook';
const startPatience = 90_000;

/**
 * Starts Tekton's controller and webhook on a bare cluster with CRDs and configuration of the same version, the parts of
 * Kubernetes' controller manager that they count on, and what plays the kubelet.
 */
export async function startTekton(cluster: Cluster, call: World['call']): Promise<Tekton> {
  const programs: Running[] = [];
  const complaints: string[] = [];
  const kubelet = await startKubelet(cluster.kubeconfigFile, call, (text) => complaints.push(text));
  const close = async (): Promise<void> => {
    await kubelet.stop();
    // Asked politely, the webhook would wait half a minute for callers that don't know yet.
    for (const program of programs) program.kill('SIGKILL');
    await Promise.all(programs.map(({ finished }) => finished));
  };
  const complain = (): string => {
    const warnings = programs.flatMap(({ output }) => output().split('\n').filter(isWorrying).slice(-10));
    // What is longer is a stack of calls.
    return [...complaints, ...warnings].map((line) => line.slice(0, 500)).join('\n');
  };
  try {
    programs.push(start(tool('kube-controller-manager'), controllerManagerArguments(cluster)));
    const [webhookPort = 0, ...ports] = await freePorts(5);
    await applyManifests(cluster, webhookPort);
    const startProgram = async (
      name: Tool & `tekton-${string}`,
      args: readonly string[],
    ): Promise<Running> => {
      const [probes, profiling] = ports.splice(0, 2);
      const own = {
        PROBES_PORT: `${probes}`,
        PROFILING_PORT: `${profiling}`,
        WEBHOOK_PORT: `${webhookPort}`,
      };
      const container = await containerOf(`${name.replace('tekton-', '')}.yaml`);
      const environment = {
        ...process.env,
        ...container.environment,
        ...own,
        KUBECONFIG: cluster.kubeconfigFile,
      };
      const started = start(tool(name), [...container.args, '-disable-ha', ...args], { environment });
      programs.push(started);
      return started;
    };
    await startProgram('tekton-webhook', []);
    // As they come, it makes some twenty calls a second, and a PipelineRun takes its time.
    const speed = ['-kube-api-qps', '200', '-kube-api-burst', '400'];
    const controller = await startProgram('tekton-controller', speed);
    await Promise.all([controller.printed(/Started workers/), converting(cluster), serviceAccount(cluster)]);
    return { complaints: complain, close };
  } catch (error) {
    const message = `Tekton did not start: ${String(error)}\n${complain()}`;
    await close();
    throw new Error(message, { cause: error });
  }
}

function controllerManagerArguments(cluster: Cluster): readonly string[] {
  const controllers = ['garbage-collector-controller', 'namespace-controller', 'serviceaccount-controller'];
  return [
    `--kubeconfig=${cluster.kubeconfigFile}`,
    `--controllers=${controllers.join(',')}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ];
}

/** Lines of a log of Go's that tell of more than the usual. */
function isWorrying(line: string): boolean {
  return /"(level|severity)":"(error|fatal|panic)"|^[EF]\d{4} |^panic|^fatal/i.test(line);
}

/** CRDs first, and the webhooks last: until these answer, nothing that they are asked about can be written. */
async function applyManifests(cluster: Cluster, webhookPort: number): Promise<void> {
  const apply = async (objects: readonly JsonObject[]): Promise<void> => {
    const list: Json = { apiVersion: 'v1', kind: 'List', items: objects };
    await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(list));
  };
  const reached = (object: Json): Json => withPort(object, webhookPort);
  const crds = await manifests('300-crds', /\.yaml$/);
  await apply([...(await manifests('100-namespace', /\.yaml$/)), ...crds.map(reached).map(objectIn)]);
  await cluster.kubectl([
    ...['wait', '--for=condition=Established', '--timeout=60s', 'crd'],
    ...['-l', 'app.kubernetes.io/part-of=tekton-pipelines'],
  ]);
  await apply((await manifests('.', /^config-.*\.yaml$/)).map(configured));
  // By a service of this type the API server comes to a program on its own machine.
  const spec = { type: 'ExternalName', externalName: 'localhost' };
  const metadata = { name: webhookService, namespace };
  await apply([
    { apiVersion: 'v1', kind: 'Service', metadata, spec },
    ...(await manifests('.', /^500-webhooks\.yaml$/)).map(reached).map(objectIn),
  ]);
}

async function manifests(folder: string, names: RegExp): Promise<readonly JsonObject[]> {
  const path = join(tektonManifests(), folder);
  const files = (await readdir(path)).filter((name) => names.test(name)).toSorted();
  const texts = await Promise.all(files.map((name) => readFile(join(path, name), 'utf8')));
  return texts.flatMap((text) =>
    parseAllDocuments(text)
      .map((document): unknown => document.toJS())
      .filter(isJsonObject),
  );
}

function configured(object: JsonObject): JsonObject {
  const set = settings[textIn(at(object, 'metadata', 'name'))];
  return set === undefined ? object : { ...object, data: { ...objectIn(object['data']), ...set } };
}

/** The same with the webhook's port wherever its service is named; the API server would take 443. */
function withPort(value: Json, port: number): Json {
  if (Array.isArray(value)) return value.map((entry: Json) => withPort(entry, port));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, entry]): [string, Json] => {
    const inner = withPort(entry ?? null, port);
    const isWebhook = key === 'service' && at(entry, 'name') === webhookService;
    return [key, isWebhook ? { ...objectIn(inner), port } : inner];
  });
  return Object.fromEntries(entries);
}

/** How Tekton's own Deployment starts its program. Images are never pulled: any names will do. */
async function containerOf(
  file: string,
): Promise<{ readonly args: readonly string[]; readonly environment: Readonly<Record<string, string>> }> {
  const documents = await manifests('.', new RegExp(`^${file}$`));
  const [container] = documents.flatMap((document) =>
    listAt(document, 'spec', 'template', 'spec', 'containers'),
  );
  if (container === undefined) throw new Error(`Tekton's ${file} has no container`);
  const variables = listAt(container, 'env')
    .map((entry): [string, string] => [textIn(at(entry, 'name')), textIn(at(entry, 'value'))])
    // Certificates of registries are for pulling images, and lie where a pod has them.
    .filter(([name, value]) => value !== '' && !name.startsWith('SSL_CERT'));
  return {
    args: listAt(container, 'args').map((text) => textIn(text).replace(/^ko:\/\/.*\//, 'tekton.example/')),
    environment: { ...Object.fromEntries(variables), SYSTEM_NAMESPACE: namespace },
  };
}

/** Resolves when the webhook converts and fills in what is left out. */
async function converting(cluster: Cluster): Promise<void> {
  const probe = {
    apiVersion: 'tekton.dev/v1beta1',
    kind: 'TaskRun',
    metadata: { name: 'probe', namespace: 'default' },
    spec: { taskSpec: { steps: [{ image: 'probe', command: ['write'] }] } },
  };
  let said = '';
  const ask = async (): Promise<true | undefined> => {
    const args = ['create', '--dry-run=server', '-o', 'jsonpath={.spec.timeout}', '-f', '-'];
    said = await cluster.kubectl(args, JSON.stringify(probe)).catch(String);
    return said === '1h0m0s' ? true : undefined;
  };
  await eventually(() => `Tekton's webhook answers; the API server said: ${said}`, ask, startPatience);
}

/** Resolves when the namespace has the service account that pods are given. */
async function serviceAccount(cluster: Cluster): Promise<void> {
  const ask = async (): Promise<string | undefined> =>
    cluster.kubectl(['get', 'serviceaccount', 'default', '-n', 'default']).catch(() => undefined);
  await eventually('the namespace default has its service account', ask, startPatience);
}
