import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '../errors.ts';
import type { RegistrySecret, SecretProblem } from '../model/cluster-access.ts';
import {
  coversRepository,
  type Credential,
  type DockerConfig,
  helperFor,
  helperHost,
  parseDockerConfig,
  parseHelperAnswer,
} from './docker-config.ts';
import type { Repository } from './repository.ts';
import { firstOf, secretAdvice, type ServiceAccount } from './secret-advice.ts';

/** The credentials for a repository, the best first, and which sources don't count, why, and what to do about it. */
export interface Credentials {
  readonly found: readonly { readonly source: string; readonly credential: Credential }[];
  /** One line each, the advice last. */
  readonly problems: readonly string[];
}

/** Where credentials come from. */
export interface CredentialSources {
  readonly secrets: readonly (RegistrySecret | SecretProblem)[];
  /** Whose Secrets these are; undefined where there is no cluster. */
  readonly account?: ServiceAccount | undefined;
  /** `DOCKER_CONFIG`, `HOME` and `PATH` count. */
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The credentials for a repository: from the run's Secrets, the longest matching path first and else in their order;
 * then from this process's own Docker configuration, of which its credential programs go first (behaviour.md, "Stores").
 */
export async function credentialsFor(
  repository: Repository,
  { secrets, account, environment, signal }: CredentialSources,
): Promise<Credentials> {
  const { found: ofRun, problems, advice } = fromSecrets(secrets, repository, account);
  const own = await ownConfig(environment);
  if (own === undefined) return { found: ofRun, problems: [...problems, ...advice] };
  if (typeof own === 'string') return { found: ofRun, problems: [...problems, own, ...advice] };
  const helped = await askHelper(own, repository, environment, signal);
  return {
    found: [
      ...ofRun,
      ...(helped === undefined || typeof helped === 'string' ? [] : [helped]),
      ...matching(own, repository),
    ],
    problems: [...problems, ...(typeof helped === 'string' ? [helped] : []), ...advice],
  };
}

/** How many credentials are tried at a registry: each costs it and us requests. */
const mostTried = 10;

function fromSecrets(
  secrets: CredentialSources['secrets'],
  repository: Repository,
  account: ServiceAccount | undefined,
) {
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
  const unfit = all.length > 0 ? [] : configs.map(({ source }) => `${source} has no entry for ${host}`);
  const cut = configs.flatMap(({ source, leftOut }) =>
    leftOut === 0 ? [] : [`${source} has ${leftOut} entries too many, or whose names are too long`],
  );
  const untried =
    all.length > mostTried ? [`only ${mostTried} of ${all.length} credentials for ${host} are tried`] : [];
  const refusals = secrets.filter((secret) => 'problem' in secret);
  const [missing] = refusals.flatMap((refusal) => refusal.missing ?? []);
  const canBeMade = all.length === 0 && !refusals.some(({ isForbidden }) => isForbidden);
  const advice = account !== undefined && canBeMade ? secretAdvice(repository, account, missing) : [];
  const wrong = read.filter((config) => typeof config === 'string');
  return {
    found: all.slice(0, mostTried),
    problems: firstOf([...wrong, ...unfit, ...cut, ...untried]),
    advice,
  };
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

async function ownConfig(environment: NodeJS.ProcessEnv): Promise<DockerConfig | string | undefined> {
  const folder = environment['DOCKER_CONFIG'] || join(environment['HOME'] || homedir(), '.docker');
  const path = join(folder, 'config.json');
  try {
    return parsed(await readFile(path, 'utf8'), path);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return missing ? undefined : `${path} can't be read: ${reasonOf(error)}`;
  }
}

const helperPatience = 30_000;

/** What the credential program knows; undefined when it knows nothing, a text when it failed. */
async function askHelper(
  config: DockerConfig,
  repository: Repository,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<{ source: string; credential: Credential } | string | undefined> {
  const name = helperFor(config, repository);
  if (name === undefined) return undefined;
  const program = `docker-credential-${name}`;
  try {
    const { code, stdout } = await run(program, helperHost(repository), environment, signal);
    if (code === 0) {
      const credential = parseHelperAnswer(stdout);
      return credential && { source: program, credential };
    }
    // The protocol's own words for "none"; anything else it prints may hold a secret.
    return /credentials not found/i.test(stdout) ? undefined : `${program} ended with ${code}`;
  } catch (error) {
    signal?.throwIfAborted();
    const text = error instanceof SyntaxError ? 'its answer is not JSON' : reasonOf(error);
    return `${program} failed: ${text}`;
  }
}

/** Runs `PROGRAM get` with the host on its standard input. */
function run(
  program: string,
  input: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<{ code: number | string; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], {
      env,
      signal,
      timeout: helperPatience,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < 1024 * 1024) stdout += text;
    });
    // It may end without reading its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code, ended) => resolve({ code: code ?? ended ?? 'no code', stdout }));
  });
}
