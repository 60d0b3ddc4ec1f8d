import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '../errors.ts';
import {
  type ClusterAccess,
  isObjectName,
  type RegistrySecret,
  type SecretProblem,
  serviceAccountOf,
} from '../model/cluster-access.ts';
import type { Run } from '../model/run.ts';
import { withoutTrailing } from '../text.ts';
import { askHelper, helperHost } from './credential-helper.ts';
import { coversRepository, type Credential, type DockerConfig, parseDockerConfig } from './docker-config.ts';
import type { Repository } from './repository.ts';

/** The credentials for a repository, the best first, and which sources gave none, why, and what to do about it. */
export interface Credentials {
  readonly found: readonly { readonly source: string; readonly credential: Credential }[];
  /** One line each, the advice last. */
  readonly problems: readonly string[];
}

/** How many credentials are tried at a registry: each costs it and us requests. */
const mostTried = 10;
/** How many problems are named one by one; a message on a run has about 1,000 characters. */
const mostNamed = 3;

/**
 * The credentials for a repository: from the run's Secrets, the longest matching path first and else in their order;
 * then from this process's own Docker configuration, its credential helper first (behaviour.md, "Stores").
 */
export async function credentialsFor(
  repository: Repository,
  run: Run | undefined,
  access: ClusterAccess,
  signal?: AbortSignal,
): Promise<Credentials> {
  const secrets = run && (await access.registrySecrets?.(run, signal));
  const ofRun = run && secrets && fromSecrets(secrets, repository, run);
  const own = await fromOwnConfig(repository, signal);
  if (ofRun === undefined) return own;
  const { found, problems, advice } = ofRun;
  return { found: [...found, ...own.found], problems: [...problems, ...own.problems, ...advice] };
}

function fromSecrets(secrets: readonly (RegistrySecret | SecretProblem)[], repository: Repository, run: Run) {
  const { host } = repository;
  const read = secrets.map((secret) =>
    'problem' in secret
      ? secret.problem
      : parsed(secret.text, `the Secret ${secret.name}`, secret.type === 'kubernetes.io/dockercfg'),
  );
  const configs = read.filter((config) => typeof config !== 'string');
  const all = configs
    .flatMap((config) => matching(config, repository))
    .toSorted((one, other) => other.key.length - one.key.length);
  const problems = [
    ...read.filter((config) => typeof config === 'string'),
    ...(all.length > 0 ? [] : configs.map(({ source }) => `${source} has no entry for ${host}`)),
    ...configs.flatMap(({ source, leftOut }) =>
      leftOut === 0 ? [] : [`${source} has ${leftOut} entries too many, or whose names are too long`],
    ),
    ...(all.length > mostTried
      ? [`only ${mostTried} of ${all.length} credentials for ${host} are tried`]
      : []),
  ];
  const more = problems.length - mostNamed;
  const refusals = secrets.filter((secret) => 'problem' in secret);
  const [missing] = refusals.flatMap((refusal) => refusal.missing ?? []);
  const canBeMade = all.length === 0 && !refusals.some(({ isForbidden }) => isForbidden);
  return {
    found: all.slice(0, mostTried),
    problems: more <= 0 ? problems : [...problems.slice(0, mostNamed), `and ${more} more problems`],
    advice: canBeMade ? secretAdvice(repository, run, missing) : [],
  };
}

/**
 * The commands that make a Secret with which runs of this one's account have access to a repository's registry; none for a
 * name that no account can have.
 * @param missing the name of a Secret that is referred to and does not exist
 */
function secretAdvice(repository: Repository, run: Run, missing: string | undefined): readonly string[] {
  const { namespace } = run;
  const name = serviceAccountOf(run);
  if (!isObjectName(name)) return [];
  const host = repository.host.toLowerCase().replace(/[^a-z0-9.]+/g, '-');
  const secret = missing ?? withoutTrailing(`registry-${host}`, '-');
  const create = `kubectl create secret docker-registry ${secret} -n ${namespace} --docker-server=${helperHost(repository)} --docker-username=USER --docker-password=PASSWORD`;
  const link = `kubectl patch serviceaccount ${name} -n ${namespace} -p '{"imagePullSecrets":[{"name":"${secret}"}]}'`;
  return [`to give its runs access: ${missing === undefined ? `${create} && ${link}` : create}`];
}

function matching({ auths, source }: DockerConfig, repository: Repository) {
  return auths
    .filter(({ key }) => coversRepository(key, repository))
    .map(({ key, credential }) => ({ key, credential, source }));
}

/** The configuration, or what is wrong with it; never its text. */
function parsed(text: string, source: string, bare = false): DockerConfig | string {
  try {
    return parseDockerConfig(text, source, bare);
  } catch {
    return `${source} holds no JSON`;
  }
}

async function fromOwnConfig(repository: Repository, signal?: AbortSignal): Promise<Credentials> {
  const config = await ownConfig();
  if (config === undefined) return { found: [], problems: [] };
  if (typeof config === 'string') return { found: [], problems: [config] };
  const helped = await askHelper(config, repository, signal);
  const entries = matching(config, repository);
  if (typeof helped === 'string') return { found: entries, problems: [helped] };
  return { found: helped === undefined ? entries : [helped, ...entries], problems: [] };
}

async function ownConfig(): Promise<DockerConfig | string | undefined> {
  const path = join(process.env['DOCKER_CONFIG'] || join(homedir(), '.docker'), 'config.json');
  try {
    return parsed(await readFile(path, 'utf8'), path);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return missing ? undefined : `${path} can't be read: ${reasonOf(error)}`;
  }
}
