import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** `chains controller` in a process of its own. */
export interface ControllerProcess {
  /** Ends it with this signal, if it runs, and gives its exit code; null when the signal ended it. */
  end(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null>;
  /** Sends it a signal. */
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  /** The most memory it held at once so far, in MiB. */
  peakMemory(): Promise<number>;
  /** What it logged. */
  log(): string;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** What a controller's process is started in. */
export interface ProcessSurroundings {
  /** Options of V8 and Node. */
  readonly node?: readonly string[];
  /** Variables that it has beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts `chains controller` on a world's cluster, with further options where a test needs them. */
export function startControllerProcess(
  world: { readonly kubeconfigFile: string; readonly secretsFolder: string },
  options: readonly string[] = [],
  { node = [], environment = {} }: ProcessSurroundings = {},
): ControllerProcess {
  const files = ['--kubeconfig', world.kubeconfigFile, '--signing-secrets', world.secretsFolder];
  const ports = ['--metrics-port', '0', '--health-port', '0'];
  const child = spawn(process.execPath, [...node, main, 'controller', ...files, ...ports, ...options], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = once(child, 'exit').then(() => child.exitCode);
  return {
    ended,
    signal: (name) => void child.kill(name),
    async end(signal) {
      if (isOver(child)) return child.exitCode;
      child.kill(signal);
      return ended;
    },
    async peakMemory() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
    },
    log: () => log,
  };
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
