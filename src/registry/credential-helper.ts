import { spawn } from 'node:child_process';
import { reasonOf } from '../errors.ts';
import { at, parseBounded } from '../json.ts';
import { coversRepository, type Credential, type DockerConfig } from './docker-config.ts';
import { isDockerHub, type Repository } from './repository.ts';

/** Seconds that a helper may take. */
const longestRun = 30;

/** Asks the credential helper of a configuration; undefined when it has nothing, a text when it failed. */
export async function askHelper(
  config: DockerConfig,
  repository: Repository,
  signal?: AbortSignal,
): Promise<{ readonly source: string; readonly credential: Credential } | string | undefined> {
  const name = helperFor(config, repository);
  if (name === undefined) return undefined;
  const program = `docker-credential-${name}`;
  try {
    const { code, stdout } = await run(program, helperHost(repository), signal);
    if (code === 0) {
      const credential = parseHelperAnswer(stdout);
      return credential && { source: program, credential };
    }
    // The protocol's own message for a missing credential; anything else that it prints may hold a secret.
    return /credentials not found/i.test(stdout) ? undefined : `${program} ended with ${code}`;
  } catch (error) {
    signal?.throwIfAborted();
    const text = error instanceof SyntaxError ? 'its answer is not JSON' : reasonOf(error);
    return `${program} failed: ${text}`;
  }
}

/** The helper for a repository, if the configuration names one. */
export function helperFor({ helpers, store }: DockerConfig, repository: Repository): string | undefined {
  return [...helpers].find(([key]) => coversRepository(key, repository))?.[1] ?? store;
}

/** The host by which credential helpers know a repository's registry. */
export function helperHost({ host }: Repository): string {
  return isDockerHub(host) ? 'https://index.docker.io/v1/' : host;
}

/** Reads what a credential helper prints. @throws SyntaxError */
export function parseHelperAnswer(text: string): Credential | undefined {
  const json = parseBounded(text);
  const [username, secret] = [at(json, 'Username'), at(json, 'Secret')];
  if (typeof secret !== 'string' || secret === '') return undefined;
  if (username === '<token>') return { kind: 'identity', token: secret };
  return typeof username === 'string' ? { kind: 'password', username, password: secret } : undefined;
}

/** Runs `PROGRAM get` with the host on its standard input. */
function run(
  program: string,
  host: string,
  signal?: AbortSignal,
): Promise<{ code: number | string; stdout: string }> {
  // The option `timeout` of spawn would keep the process alive if the program can't be started.
  const deadline = AbortSignal.timeout(longestRun * 1000);
  const either = AbortSignal.any(signal === undefined ? [deadline] : [signal, deadline]);
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { signal: either, stdio: ['pipe', 'pipe', 'ignore'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < 1024 * 1024) stdout += text;
    });
    // It may end without reading its input.
    child.stdin.on('error', () => {});
    child.stdin.end(host);
    child.once('error', (error) =>
      reject(deadline.aborted ? new Error(`it took longer than ${longestRun} seconds`) : error),
    );
    child.once('close', (code, ended) => resolve({ code: code ?? ended ?? 'no code', stdout }));
  });
}
