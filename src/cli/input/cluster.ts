import { configData, configMapName } from '../../config/parse.ts';
import { listTaskRuns } from '../../kubernetes/task-runs.ts';
import { openConnection } from '../../kubernetes/connection.ts';
import type { Resource } from '../../kubernetes/call.ts';
import { Rest, unlessMissing } from '../../kubernetes/rest.ts';
import { servedRuns } from '../../kubernetes/run-resources.ts';
import { caught, type ChainsError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { parseRun, type RunKind } from '../../model/run.ts';
import { suggestion, usageError } from '../usage-error.ts';

/** Which cluster; by default that of kubectl, or of the pod. */
export interface ConnectionOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** Which cluster, and which namespaces in it. */
export interface ClusterOptions extends ConnectionOptions {
  /** The run's; the kubeconfig's by default. */
  readonly namespace?: string;
  /** Where the ConfigMap `chains-config` is. */
  readonly systemNamespace: string;
}

const kinds: ReadonlyMap<string, RunKind> = new Map([
  ['taskrun', 'TaskRun'],
  ['taskruns', 'TaskRun'],
  ['tr', 'TaskRun'],
  ['pipelinerun', 'PipelineRun'],
  ['pipelineruns', 'PipelineRun'],
  ['pr', 'PipelineRun'],
]);

/** What `kind/name` means, in any form that kubectl takes or prints. @throws ChainsError USAGE */
export function parseRunName(text: string): { readonly kind: RunKind; readonly name: string } {
  const [, word = '', name = ''] = /^([a-z]+)(?:\.tekton\.dev)?\/([^/]+)$/i.exec(text) ?? [];
  const kind = kinds.get(word.toLowerCase());
  if (kind !== undefined) return { kind, name };
  throw usageError(
    `${JSON.stringify(text.slice(0, 100))} is not a run: write taskrun/NAME or pipelinerun/NAME`,
    suggestion(word.toLowerCase(), kinds.keys(), (near) => `${near}/${name}`),
  );
}

/** Works with the API of a cluster, and closes the connection afterwards. */
export async function withCluster<T>(
  { kubeconfig, context }: ConnectionOptions,
  work: (rest: Rest, namespace: string) => Promise<T>,
): Promise<T> {
  const connection = await openConnection({ kubeconfig, context });
  const rest = new Rest(connection);
  try {
    return await work(rest, connection.namespace);
  } finally {
    await rest.close();
  }
}

/** What a cluster has under a run's name. */
export interface FoundRun {
  readonly kind: RunKind;
  readonly namespace: string;
  readonly name: string;
  /** Undefined where there is none. */
  readonly run: JsonObject | undefined;
  /** Those of a PipelineRun. */
  readonly taskRuns: readonly JsonObject[];
  /** `data` of the ConfigMap there, or why it can't be read. */
  readonly config: JsonObject | ChainsError;
}

/** USAGE for a name that no run has. */
export function noSuchRun({ kind, namespace, name }: FoundRun): ChainsError {
  return usageError(
    `there is no ${kind.toLowerCase()} ${name} in the namespace ${namespace}; -n names another namespace`,
  );
}

const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps' };

/** Looks for a run in a cluster. @throws ChainsError USAGE for what is not a run's name, and what the cluster answers. */
export async function findRun(text: string, options: ClusterOptions): Promise<FoundRun> {
  const { kind, name } = parseRunName(text);
  return withCluster(options, async (rest, defaultNamespace) => {
    const { namespace = defaultNamespace, systemNamespace } = options;
    const resource = await servedRuns(rest, kind);
    if (resource === undefined)
      throw usageError(`the cluster has no ${kind}s: Tekton Pipelines is not installed there`);
    const run = await unlessMissing(rest.get(resource, { namespace, name }));
    const configName = { namespace: systemNamespace, name: configMapName };
    const config = await caught(async () =>
      configData(await unlessMissing(rest.get(configMaps, configName))),
    );
    const hasTaskRuns = run !== undefined && kind === 'PipelineRun';
    const taskRuns = hasTaskRuns ? await listTaskRuns(rest, resource, parseRun(run)) : [];
    return { kind, namespace, name, run, taskRuns, config };
  });
}
