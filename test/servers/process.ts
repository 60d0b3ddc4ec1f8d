import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How to start a program. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** The whole environment; this process's own when absent. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Text for the standard input, which is empty otherwise. */
  readonly input?: string;
}

/** What a program that ran to its end left behind. */
export interface Finished {
  /** The exit code, or the name of the signal that ended it. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that is running. It is killed when this process ends, however it ends short of SIGKILL. */
export interface Running {
  readonly pid: number;
  /** Settles when it has ended; rejects only when it could not be started. */
  readonly finished: Promise<Finished>;
  /** Both outputs so far, the newest 256 KiB, in the order in which they came. */
  output(): string;
  /** Resolves with the first match in the output; rejects with the output when the program ends without one. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end with SIGTERM, kills it after ten seconds, and resolves when it is gone. */
  stop(): Promise<void>;
}

const keptOutput = 256 * 1024;
const longestWait = 10_000;

const running = new Set<Running>();
const folders = new Set<string>();

function leaveNothing(): void {
  for (const program of running) program.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

let watching = false;

/** Sees to it, once, that programs and folders don't outlive this process. */
function cleanUpAtTheEnd(): void {
  if (watching) return;
  watching = true;
  process.once('exit', leaveNothing);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
}

/** Starts a program that stays, such as a server. */
export function start(program: string, args: readonly string[], options: ProgramOptions = {}): Running {
  cleanUpAtTheEnd();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.environment ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let both = '';
  const listeners = new Set<() => void>();
  const keep = (text: string): void => {
    both = (both + text).slice(-keptOutput);
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    keep(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    keep(text);
  });
  // A program may end without reading its input.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');

  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code: code ?? signal ?? 'SIGKILL', stdout, stderr }));
  }).finally(() => running.delete(self));
  const self: Running = {
    pid: child.pid ?? 0,
    finished,
    output: () => both,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(both);
          if (match === null) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        finished.then(
          ({ code }) =>
            reject(new Error(`${program} ended with ${code} before it printed ${pattern}:\n${both}`)),
          reject,
        );
      }),
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), longestWait);
      await finished.finally(() => clearTimeout(timer));
    },
  };
  running.add(self);
  // Anyone who started it may never ask how it ended.
  finished.catch(() => {});
  return self;
}

/** Runs a program to its end, whatever its exit code. */
export function run(program: string, args: readonly string[], options?: ProgramOptions): Promise<Finished> {
  return start(program, args, options).finished;
}

/** Runs a program to its end and gives its standard output; rejects with what it printed when it fails. */
export async function outputOf(
  program: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${stderr}${stdout}`);
  return stdout;
}

/** Ports of the loopback interface on which nothing listens. Another program may take one before it is used. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => void server.close(resolve))));
  return ports;
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** A new empty folder, which `remove` removes, or the end of this process. */
export async function temporaryFolder(
  name: string,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  cleanUpAtTheEnd();
  const path = await mkdtemp(join(tmpdir(), `${name}-`));
  folders.add(path);
  const remove = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true, maxRetries: 10 });
    folders.delete(path);
  };
  return { path, remove };
}
