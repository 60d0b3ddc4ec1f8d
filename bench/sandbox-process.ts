// The sandbox in a process of its own: tells its kubeconfig, and serves until it is let go of.

import process from 'node:process';
import { startSandbox } from '../sandbox/index.ts';

const sandbox = await startSandbox({ life: false, history: 100_000 });
process.on('disconnect', () => void sandbox.close());
process.send?.(sandbox.kubeconfig);
