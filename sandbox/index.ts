import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { stringify } from 'yaml';
import { Faults } from './faults.ts';
import { namespaceKind } from './kinds.ts';
import { type LifeOptions, playLives } from './life.ts';
import { Objects } from './objects.ts';
import { portOf } from './port.ts';
import { Requests } from './requests.ts';
import { Seeds } from './seeds.ts';
import { answer } from './server.ts';
import { Storage } from './storage.ts';
import { Watches } from './watches.ts';

/** How the sandbox is to behave. */
export interface SandboxOptions {
  /** Port on loopback; any free one by default. */
  readonly port?: number;
  /** The bearer token; a random one by default. */
  readonly token?: string;
  /** Namespaces that exist from the start, besides those that every cluster has. Default: `tekton-chains`. */
  readonly namespaces?: readonly string[];
  /** A TaskRun's life; `false`: TaskRuns stay as they are created. */
  readonly life?: LifeOptions | false;
  /** Milliseconds between a watch's bookmarks. Default 2000. */
  readonly bookmarkEvery?: number;
  /** How many changes are remembered for watches and lists that go on. Default 10,000. */
  readonly history?: number;
  /** Seed of the faults' probability. */
  readonly seed?: number;
}

/** A Kubernetes-style API server in this process. */
export interface Sandbox {
  readonly url: string;
  readonly token: string;
  /** Text of a kubeconfig file for it. */
  readonly kubeconfig: string;
  readonly requests: Requests;
  readonly faults: Faults;
  /** Its objects, without HTTP: for seeding and looking. */
  readonly objects: Seeds;
  close(): Promise<void>;
}

/** Starts a sandbox on loopback. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const token = options.token ?? randomBytes(16).toString('hex');
  const storage = new Storage(options.history ?? 10_000);
  const objects = new Objects(storage);
  const watches = new Watches(storage, options.bookmarkEvery ?? 2_000);
  const faults = new Faults(options.seed ?? 1, watches.open, () => storage.compact());
  const requests = new Requests();
  for (const name of [
    'default',
    'kube-system',
    'kube-public',
    ...(options.namespaces ?? ['tekton-chains']),
  ]) {
    const address = { kind: namespaceKind, version: 'v1', namespace: '', name, subresource: '' };
    objects.create(address, { metadata: { name } }, { manager: 'sandbox' });
  }
  const stopLives = options.life === false ? undefined : playLives(objects, options.life ?? {});
  const server = createServer(
    { keepAliveTimeout: 90_000 },
    (request, response) => void answer({ token, objects, watches, faults, requests }, request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${portOf(server.address())}`;
  return {
    ...{ url, token, kubeconfig: kubeconfigFor(url, token), requests, faults, objects: new Seeds(objects) },
    async close() {
      stopLives?.();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function kubeconfigFor(server: string, token: string): string {
  return stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'sandbox' },
    // kubectl sends no token over plain HTTP: the address carries it, too.
    clusters: [{ name: 'sandbox', cluster: { server: `${server}/${token}` } }],
    users: [{ name: 'sandbox', user: { token } }],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'sandbox', namespace: 'default' } }],
  });
}
