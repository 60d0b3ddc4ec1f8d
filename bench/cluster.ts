import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../test/servers/cluster.ts';

/** An API server to measure on. */
export interface MeasuredCluster {
  readonly name: string;
  /** A file. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** Where to measure. */
export type ClusterChoice = 'sandbox' | 'real' | { readonly kubeconfig: string };

/** Starts the API server that was asked for, in a process of its own; a cluster of the user's is left running. */
export async function openCluster(choice: ClusterChoice, folder: string): Promise<MeasuredCluster> {
  if (choice === 'sandbox') return startSandboxProcess(join(folder, 'sandbox.kubeconfig'));
  if (choice === 'real') {
    const { kubeconfigFile, close } = await startCluster();
    return { name: 'kube-apiserver with etcd', kubeconfig: kubeconfigFile, close };
  }
  await readFile(choice.kubeconfig);
  return { name: choice.kubeconfig, kubeconfig: choice.kubeconfig, close: async () => {} };
}

async function startSandboxProcess(file: string): Promise<MeasuredCluster> {
  const child = fork(fileURLToPath(new URL('sandbox-process.ts', import.meta.url)));
  const [kubeconfig]: unknown[] = await once(child, 'message');
  await writeFile(file, String(kubeconfig), { mode: 0o600 });
  return {
    name: 'the sandbox, in another process',
    kubeconfig: file,
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
