import { createHash } from 'node:crypto';
import type { Resource } from '../kubernetes/call.ts';
import type { Rest } from '../kubernetes/rest.ts';
import { ChainsError } from '../errors.ts';
import { at, type Json, type JsonObject, listAt } from '../json.ts';
import type { Run } from '../model/run.ts';
import {
  isObjectName,
  type RegistrySecret,
  type SecretProblem,
  serviceAccountOf,
  type ClusterAccess,
} from '../model/cluster-access.ts';
import { oneLine } from '../text.ts';
import type { Log } from '../telemetry/logs.ts';

const serviceAccounts: Resource = { group: '', version: 'v1', plural: 'serviceaccounts' };
const secrets: Resource = { group: '', version: 'v1', plural: 'secrets' };

/** The type of a registry Secret, and the one member that it has. */
const members: ReadonlyMap<Json | undefined, { type: RegistrySecret['type']; member: string }> = new Map([
  ['kubernetes.io/dockerconfigjson', { type: 'kubernetes.io/dockerconfigjson', member: '.dockerconfigjson' }],
  ['kubernetes.io/dockercfg', { type: 'kubernetes.io/dockercfg', member: '.dockercfg' }],
]);

/** Types that are for something else, and no mistake among the Secrets of a service account. */
const otherUses: ReadonlySet<Json | undefined> = new Set([
  'kubernetes.io/service-account-token',
  'kubernetes.io/ssh-auth',
  'kubernetes.io/tls',
]);

/** A run's own pod template may name as many as it likes. */
const mostSecrets = 32;

/** Milliseconds for which Secrets are kept: runs of one service account come in bursts. */
const keptFor = 30_000;

type SecretsRead = readonly (RegistrySecret | SecretProblem)[];

interface Kept {
  readonly secrets: Promise<SecretsRead>;
  readonly until: number;
}

/**
 * Reads the registry Secrets of runs from the cluster (behaviour.md, "Stores"). What is missing, of another type, or may
 * not be read is named among them, and the log says once a namespace that we have no right to read there.
 */
export function readRegistrySecrets(rest: Rest, log: Log): NonNullable<ClusterAccess['registrySecrets']> {
  const kept = new Map<string, Kept>();
  const refused = new Set<string>();

  /** The object, or why there is none. */
  async function get(
    resource: Resource,
    namespace: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<JsonObject | SecretProblem> {
    const what = `the ${resource === secrets ? 'Secret' : 'service account'} ${namespace}/${oneLine(name, 60)}`;
    if (!isObjectName(name)) return { problem: `${what} can't exist: that is not a name` };
    try {
      return await rest.get(resource, { namespace, name }, signal);
    } catch (error) {
      if (!(error instanceof ChainsError) || (error.status !== 403 && error.status !== 404)) throw error;
      if (error.status === 404)
        return { problem: `${what} is missing`, ...(resource === secrets ? { missing: name } : {}) };
      const all = `${resource.plural} in ${namespace}`;
      if (!refused.has(all)) {
        refused.add(all);
        log.warn(`${all} may not be read, so registries see none of their credentials: ${error.message}`);
      }
      return {
        problem: `${what} may not be read: let the controller's account get ${all}, as deploy/registry-credentials.yaml does`,
        isForbidden: true,
      };
    }
  }

  async function read({ namespace }: Run, place: NamedSecrets, signal?: AbortSignal): Promise<SecretsRead> {
    const found = await get(serviceAccounts, namespace, place.account, signal);
    const account = isProblem(found) ? undefined : found;
    const mentioned = namesIn(at(account, 'secrets'));
    const names = new Set([...mentioned, ...namesIn(at(account, 'imagePullSecrets')), ...place.pullSecrets]);
    const counted = [...names].slice(0, mostSecrets);
    const objects = await Promise.all(counted.map((name) => get(secrets, namespace, name, signal)));
    return [
      ...(isProblem(found) ? [found] : []),
      ...objects.flatMap((object) =>
        isProblem(object) ? [object] : registrySecret(object, namespace, mentioned),
      ),
      ...(names.size > counted.length
        ? [{ problem: `only ${mostSecrets} of the ${names.size} Secrets that the run names are read` }]
        : []),
    ];
  }

  return (run, signal) => {
    const place = { account: serviceAccountOf(run), pullSecrets: pullSecretsOf(run) };
    const key = createHash('sha256')
      .update(JSON.stringify([run.namespace, place]))
      .digest('base64');
    const now = Date.now();
    const before = kept.get(key);
    if (before !== undefined && before.until > now) return before.secrets;
    for (const [old, { until }] of kept) if (until <= now) kept.delete(old);
    const reading = read(run, place, signal);
    kept.set(key, { secrets: reading, until: now + keptFor });
    reading.catch(() => kept.delete(key));
    return reading;
  };
}

/** What a run says about its Secrets. */
interface NamedSecrets {
  readonly account: string;
  readonly pullSecrets: readonly string[];
}

function isProblem(read: JsonObject | SecretProblem): read is SecretProblem {
  return typeof read['problem'] === 'string';
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

/** @param mentioned the names in the account's `secrets`, which may be for something else than registries */
function registrySecret(object: JsonObject, namespace: string, mentioned: readonly string[]): SecretsRead {
  const type = at(object, 'type');
  const known = members.get(type);
  const secret = String(at(object, 'metadata', 'name'));
  const name = `${namespace}/${secret}`;
  if (known === undefined) {
    if (mentioned.includes(secret) && (otherUses.has(type) || isForGit(object))) return [];
    const shown = oneLine(String(type), 60);
    return [{ problem: `the Secret ${name} is of the type ${shown}, not kubernetes.io/dockerconfigjson` }];
  }
  const data = at(object, 'data', known.member);
  const text = Buffer.from(typeof data === 'string' ? data : '', 'base64').toString('utf8');
  return [{ name, type: known.type, text }];
}

/** Tekton takes such a Secret for registries too, but only where an annotation says so. */
function isForGit(object: JsonObject): boolean {
  const annotations = Object.keys(at(object, 'metadata', 'annotations') ?? {});
  return (
    at(object, 'type') === 'kubernetes.io/basic-auth' &&
    !annotations.some((key) => key.startsWith('tekton.dev/docker-'))
  );
}
