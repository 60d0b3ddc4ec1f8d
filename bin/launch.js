// Finds the Node.js that this project needs and runs programs on it. Has to run on older ones: plain JavaScript.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import process from 'node:process';

const needed = 24;
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

/** Options of V8 with which a controller takes little memory, as in the image. */
const controllerOptions = ['--max-semi-space-size=1', '--optimize-for-size'];

/** One arena, for the same: with more, threads keep memory that nobody uses. */
const environment = { MALLOC_ARENA_MAX: '1', ...process.env };

/** Whether the Node.js that runs this is new enough. */
export const isNewEnough = Number(process.versions.node.split('.')[0]) >= needed;

/** Ends this process with one line that says what is wrong and what to do. */
export function fail(message) {
  process.stderr.write(`chains: ${message}\n`);
  process.exit(1);
}

/** The path of a Node.js that is new enough: this one, or the one that npm installed beside this package. */
function suitableNode() {
  if (isNewEnough) return process.execPath;
  try {
    return createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return fail(
      `Node.js ${needed} or later is needed, this is ${process.versions.node}: install it, or, on Linux ` +
        '(x64, arm64), run npm install without --omit=optional, which brings one',
    );
  }
}

/** The arguments of Node.js for a command of this program: a controller has options of its own, unless others are given. */
export function argumentsFor(args) {
  const isController = args[1] === 'controller' && process.execArgv.length === 0 && !process.env.NODE_OPTIONS;
  return isController ? [...controllerOptions, ...args] : args;
}

/** Puts Node.js with these arguments in the place of this process; comes back where the system can't do that. */
export function becomeNode(args) {
  process.execve?.(process.execPath, [process.execPath, ...args], environment);
}

/** Runs a suitable Node.js with these arguments; this process passes on its signals and ends as that one does. */
export function runNode(args) {
  const node = suitableNode();
  const child = spawn(node, args, { stdio: 'inherit', env: environment });
  for (const signal of forwarded) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${node} can't be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of forwarded) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    // Some signals don't end this process: then tell it as shells do.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  });
}
