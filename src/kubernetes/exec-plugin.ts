import { execFile } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import type { Exec } from './kubeconfig.ts';
import { bearer, checkPair, invalid } from './material.ts';
import type { ClusterIdentity } from './target.ts';

const longestRun = 60_000;
const shortestPause = 1_000;

const answerSchema = v.object({
  apiVersion: v.string(),
  kind: v.literal('ExecCredential'),
  status: v.object({
    token: v.nullish(v.string()),
    clientCertificateData: v.nullish(v.string()),
    clientKeyData: v.nullish(v.string()),
    expirationTimestamp: v.nullish(v.pipe(v.string(), v.isoTimestamp())),
  }),
});

/**
 * An identity that a command gives (client.authentication.k8s.io/v1 and v1beta1). The command runs again when what it
 * gave expires or is refused. Neither what it prints nor its stderr gets into an error: both may hold secrets.
 * @param file the kubeconfig, which a command with a relative path is relative to
 * @param clusterInfo what the command receives if it asks for it by `provideClusterInfo`
 */
export function execIdentity(
  exec: Exec,
  file: string,
  where: string,
  clusterInfo: () => Promise<object>,
  environment: NodeJS.ProcessEnv,
  now: () => number,
): (force: boolean) => Promise<ClusterIdentity> {
  if (exec.interactiveMode === 'Always') {
    throw invalid(where, 'interactiveMode is Always, but there is no terminal here; use another credential');
  }
  let last: { identity: ClusterIdentity; at: number } | undefined;
  return async (force) => {
    const expired = (last?.identity.expires ?? Number.POSITIVE_INFINITY) <= now();
    const again = force && now() - (last?.at ?? 0) >= shortestPause;
    if (last === undefined || expired || again) {
      const spec = {
        interactive: false,
        ...(exec.provideClusterInfo ? { cluster: await clusterInfo() } : {}),
      };
      const info = JSON.stringify({ apiVersion: exec.apiVersion, kind: 'ExecCredential', spec });
      const output = await run(exec, file, where, { ...environment, KUBERNETES_EXEC_INFO: info });
      last = { identity: readAnswer(output, exec, where, now()), at: now() };
    }
    return last.identity;
  };
}

async function run(exec: Exec, file: string, where: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const { command, args, env, installHint } = exec;
  const program = command.includes('/') ? resolve(dirname(file), command) : command;
  try {
    const running = promisify(execFile)(program, args ?? [], {
      env: { ...environment, ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])) },
      timeout: longestRun,
      maxBuffer: 4 * 1024 * 1024,
    });
    // Nobody answers its prompts.
    running.child.stdin?.end();
    return (await running).stdout;
  } catch (error) {
    throw invalid(where, `the command ${command} ${failureOf(error)}`, installHint?.trim() || undefined);
  }
}

function failureOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'is not installed, or not in PATH';
  if (code === 'EACCES') return 'may not be run by this user';
  if (error instanceof Error && 'killed' in error && error.killed === true)
    return 'did not end within a minute';
  return `failed (${typeof code === 'number' ? `exit code ${code}` : String(code)}); run it by hand to see why`;
}

function readAnswer(output: string, exec: Exec, where: string, now: number): ClusterIdentity {
  const wrong = (problem: string) => invalid(where, `what the command ${exec.command} printed ${problem}`);
  const parsed = v.safeParse(answerSchema, parseJson(output));
  if (!parsed.success) {
    const field = parsed.issues[0] && v.getDotPath(parsed.issues[0]);
    throw wrong(`is not an ExecCredential${field ? `: ${field} is missing or wrong` : ' in JSON'}`);
  }
  const { apiVersion, status } = parsed.output;
  if (apiVersion !== exec.apiVersion) throw wrong(`has another apiVersion than ${exec.apiVersion}`);
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status;
  if (!cert !== !key) throw wrong('has only one of clientCertificateData and clientKeyData');
  if (!token && !cert) throw wrong('has neither a token nor a client certificate');
  const place = `${where}: what the command ${exec.command} printed: status`;
  const names = { cert: `${place}.clientCertificateData`, key: `${place}.clientKeyData` };
  const certificate = cert && key ? checkPair({ cert, key }, names, now) : undefined;
  const ends = [expirationTimestamp ? Date.parse(expirationTimestamp) : undefined, certificate?.expires];
  const expires = Math.min(...ends.filter((end) => end !== undefined));
  return {
    authorization: token ? bearer(token, `${place}.token`) : undefined,
    certificate,
    expires: Number.isFinite(expires) ? expires : undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
