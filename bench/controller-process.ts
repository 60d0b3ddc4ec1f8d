import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deployed } from '../test/integration/deployed.ts';
import { page } from './bare-client.ts';

const main = fileURLToPath(new URL('../dist/src/main.js', import.meta.url));
const ticksPerSecond = 100;

/** How the measured controller is started. */
export interface MeasuredControllerOptions {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly secretsFolder: string;
  readonly concurrency: number | undefined;
  /** Options of Node.js; by default those of the image and of `deploy/`. */
  readonly nodeOptions: readonly string[] | undefined;
}

/** `chains controller` as it is installed (built JavaScript, V8 options of the image), in a process of its own. */
export interface MeasuredController {
  /** `performance.now()` of when its process was started. */
  readonly started: number;
  /** Processor time so far, user and system, in seconds. */
  processorSeconds(): Promise<number>;
  /** The most memory it held at once, in MiB. */
  peakMemory(): Promise<number>;
  /** Calls on TaskRuns and Events so far, reads and watches left out. */
  writes(): Promise<number>;
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the built controller; its configuration and its runs are those of one namespace. */
export function startMeasuredController(options: MeasuredControllerOptions): MeasuredController {
  const { kubeconfig, namespace, secretsFolder, concurrency, nodeOptions } = options;
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...(nodeOptions ?? deployed().node),
      ...[main, 'controller', '--kubeconfig', kubeconfig],
      ...['--namespace', namespace, '--system-namespace', namespace, '--signing-secrets', secretsFolder],
      ...['--metrics-port', '0', '--health-port', '0'],
      ...(concurrency === undefined ? [] : ['--concurrency', String(concurrency)]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ports = async (): Promise<{ metrics: string; health: string }> => {
    for (;;) {
      const [metrics, health] = [/"metricsPort":(\d+)/.exec(log)?.[1], /"healthPort":(\d+)/.exec(log)?.[1]];
      if (metrics !== undefined && health !== undefined) return { metrics, health };
      if (child.exitCode !== null) throw new Error(`the controller ended with ${child.exitCode}:\n${log}`);
      await pause(10);
    }
  };
  return {
    started,
    async processorSeconds() {
      const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
      return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    },
    async peakMemory() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
    },
    async writes() {
      const { text: metrics } = await page(`http://127.0.0.1:${(await ports()).metrics}/metrics`);
      const calls = metrics.matchAll(
        /^chains_api_calls_total\{verb="(?:apply|patch|create|delete)",[^}]*\} (\d+)$/gm,
      );
      return [...calls].reduce((sum, [, count]) => sum + Number(count), 0);
    },
    async ready() {
      const url = `http://127.0.0.1:${(await ports()).health}/readyz`;
      while ((await page(url)).status !== 200) await pause(20);
    },
    async stop() {
      if (child.exitCode !== null) throw new Error(`the controller ended by itself:\n${log}`);
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}
