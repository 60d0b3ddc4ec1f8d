import type { Resource } from '../kubernetes/resources.ts';
import type { Rest } from '../kubernetes/rest.ts';
import { ChainsError } from '../model/errors.ts';
import { at, type Json, type JsonObject, listAt } from '../model/json.ts';
import type { Run } from '../model/run.ts';
import type { RegistrySecret, StoreAccess } from '../model/store-access.ts';
import type { Log } from '../telemetry/logs.ts';

const serviceAccounts: Resource = { group: '', version: 'v1', plural: 'serviceaccounts' };
const secrets: Resource = { group: '', version: 'v1', plural: 'secrets' };

/** The type of a registry Secret, and the one member that it has. */
const members: ReadonlyMap<Json | undefined, { type: RegistrySecret['type']; member: string }> = new Map([
  ['kubernetes.io/dockerconfigjson', { type: 'kubernetes.io/dockerconfigjson', member: '.dockerconfigjson' }],
  ['kubernetes.io/dockercfg', { type: 'kubernetes.io/dockercfg', member: '.dockercfg' }],
]);

/** Milliseconds for which Secrets are kept: runs of one service account come in bursts. */
const keptFor = 30_000;

interface Kept {
  readonly secrets: Promise<readonly RegistrySecret[]>;
  readonly until: number;
}

/**
 * Reads the registry Secrets of runs from the cluster (behaviour.md, “Stores”). What we have no right to read is left
 * out, and said once: then only this process's own Docker configuration is used.
 */
export function readRegistrySecrets(rest: Rest, log: Log): NonNullable<StoreAccess['registrySecrets']> {
  const kept = new Map<string, Kept>();
  const refused = new Set<string>();

  async function get(
    resource: Resource,
    run: Run,
    name: string,
    signal?: AbortSignal,
  ): Promise<JsonObject | undefined> {
    try {
      return await rest.get(resource, { namespace: run.namespace, name }, signal);
    } catch (error) {
      if (!(error instanceof ChainsError) || (error.status !== 403 && error.status !== 404)) throw error;
      const what = `${resource.plural} in ${run.namespace}`;
      if (error.status === 403 && !refused.has(what)) {
        refused.add(what);
        log.warn(`${what} may not be read, so registries see none of their credentials: ${error.message}`);
      }
      return undefined;
    }
  }

  async function read(run: Run, signal?: AbortSignal): Promise<readonly RegistrySecret[]> {
    const account = await get(serviceAccounts, run, accountOf(run), signal);
    const names = new Set([
      ...namesIn(at(account, 'secrets')),
      ...namesIn(at(account, 'imagePullSecrets')),
      ...pullSecretsOf(run),
    ]);
    const found = await Promise.all([...names].map((name) => get(secrets, run, name, signal)));
    return found.flatMap((object) => registrySecret(object, run.namespace));
  }

  return (run, signal) => {
    const key = JSON.stringify([run.namespace, accountOf(run), pullSecretsOf(run)]);
    const now = Date.now();
    const before = kept.get(key);
    if (before !== undefined && before.until > now) return before.secrets;
    for (const [old, { until }] of kept) if (until <= now) kept.delete(old);
    const reading = read(run, signal);
    kept.set(key, { secrets: reading, until: now + keptFor });
    reading.catch(() => kept.delete(key));
    return reading;
  };
}

/** The service account of a TaskRun, or of a PipelineRun in either version; Kubernetes' own default where none is named. */
function accountOf({ object }: Run): string {
  const name =
    at(object, 'spec', 'serviceAccountName') ?? at(object, 'spec', 'taskRunTemplate', 'serviceAccountName');
  return typeof name === 'string' && name !== '' ? name : 'default';
}

function pullSecretsOf({ object }: Run): readonly string[] {
  const template = at(object, 'spec', 'podTemplate') ?? at(object, 'spec', 'taskRunTemplate', 'podTemplate');
  return namesIn(at(template, 'imagePullSecrets'));
}

function namesIn(list: Json | undefined): readonly string[] {
  return listAt(list).flatMap((one) => {
    const name = at(one, 'name');
    return typeof name === 'string' && name !== '' ? [name] : [];
  });
}

/** None for Secrets of other types: tokens of the account, for one. */
function registrySecret(object: JsonObject | undefined, namespace: string): readonly RegistrySecret[] {
  const known = members.get(at(object, 'type'));
  if (known === undefined) return [];
  const data = at(object, 'data', known.member);
  const text = Buffer.from(typeof data === 'string' ? data : '', 'base64').toString('utf8');
  return [{ name: `${namespace}/${String(at(object, 'metadata', 'name'))}`, type: known.type, text }];
}
