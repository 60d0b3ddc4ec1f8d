import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { configMapName, defaultSystemNamespace as namespace } from '../../config/parse.ts';
import { startController } from '../../controller/index.ts';
import { openConnection } from '../../kubernetes/connection.ts';
import { Rest } from '../../kubernetes/rest.ts';
import type { JsonObject } from '../../json.ts';
import { type Sandbox, startSandbox } from '../../../sandbox/index.ts';
import { mountSecret } from '../../../sandbox/mount.ts';
import { putExampleImage } from '../../../sandbox/registry/example.ts';
import { type SandboxRegistry, startRegistry } from '../../../sandbox/registry/index.ts';
import { readSecrets } from '../../sign/secrets.ts';
import { type Log, logLevel, openLog } from '../../telemetry/logs.ts';
import { stopRequested } from '../stop.ts';
import { wrap } from '../terminal/layout.ts';

/** The options of `chains sandbox`, as parsed. */
export interface SandboxArguments {
  readonly port: number;
  /** False: only the API. */
  readonly controller: boolean;
}

/** `chains sandbox`: serves until SIGTERM or SIGINT. Standard output holds lines to be evaluated by a shell. */
export async function runSandbox({ port, controller: wanted }: SandboxArguments): Promise<void> {
  const stop = stopRequested();
  const log = await openLog({ level: logLevel() });
  await using cluster = await startSandboxCluster(port);
  if (wanted) await cluster.startController(log);
  const { sandbox, registry, kubeconfig, image, secretsFolder } = cluster;
  process.stdout.write(
    `export KUBECONFIG=${kubeconfig}\nexport IMAGE=${image}\nexport SIGNING_SECRETS=${secretsFolder}\n`,
  );
  const start = `The sandbox listens on ${sandbox.url}, its OCI registry on ${registry.host}. In another shell, run the lines above, then for instance:`;
  const end =
    'IMAGE is an image in that registry, SIGNING_SECRETS the folder where the Secret is mounted. Ctrl-C stops the sandbox; nothing is kept.';
  process.stderr.write(`${wrap('', start)}
  npx chains keygen --type ecdsa --secret | kubectl apply -f -
  kubectl create -f examples/task-output-image.yaml
  kubectl get taskruns
  npx chains verify taskrun/NAME --key k8s://tekton-chains/signing-secrets
${wrap('', end)}
`);
  await stop;
}

/** A sandbox with an image registry and a mounted Secret, as a cluster would have them, for `sandbox` and `demo`. */
export interface SandboxCluster extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly registry: SandboxRegistry;
  /** The repository in the registry that signatures are pushed to. */
  readonly signatures: string;
  /** An image in the registry: `localhost:5000/demo/hello@sha256:…`. */
  readonly image: string;
  readonly rest: Rest;
  /** A kubeconfig file for the sandbox; its folder is deleted when the cluster is disposed of. */
  readonly kubeconfig: string;
  /** Where the Secret `signing-secrets` is mounted, as `/etc/signing-secrets` is in a pod. */
  readonly secretsFolder: string;
  /** Creates the Secret `signing-secrets` and waits until it is mounted. */
  createSecret(secret: JsonObject): Promise<void>;
  /** Starts the real controller against the sandbox, over HTTP; it stops with the sandbox. */
  startController(log: Log): Promise<void>;
}

/** Starts the sandbox on that port of loopback, with a configuration, and with the Secret `signing-secrets` mounted. */
export async function startSandboxCluster(port = 0): Promise<SandboxCluster> {
  // Whatever has been started is closed again if a later step fails.
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'chains-sandbox-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const [kubeconfig, secretsFolder] = [join(folder, 'kubeconfig'), join(folder, 'signing-secrets')];
  const sandbox = await startSandbox({ port, namespaces: [namespace] });
  opened.defer(() => sandbox.close());
  await writeFile(kubeconfig, sandbox.kubeconfig, { mode: 0o600 });
  const registry = await startRegistry();
  opened.defer(() => registry.close());
  const signatures = `${registry.host}/signatures`;
  const image = `${registry.host}/demo/hello@${putExampleImage(registry.contents('demo/hello'))}`;
  const rest = new Rest(await openConnection({ kubeconfig }));
  opened.defer(() => rest.close());
  await rest.create({ group: '', version: 'v1', plural: 'configmaps' }, namespace, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMapName, namespace },
    // Signatures of images go to the sandbox's own registry, whatever registry the runs name.
    data: { 'artifacts.oci.storage': 'tekton,oci', 'storage.oci.repository': signatures },
  });
  const mounting = new AbortController();
  const secret = { namespace, name: 'signing-secrets' };
  const mounted = mountSecret(rest, secret, secretsFolder, mounting.signal);
  opened.defer(async () => {
    mounting.abort();
    await mounted;
  });
  const running = opened.move();
  return {
    sandbox,
    registry,
    signatures,
    image,
    rest,
    kubeconfig,
    secretsFolder,
    async createSecret(object) {
      await rest.create({ group: '', version: 'v1', plural: 'secrets' }, namespace, object);
      while ((await readSecrets(secretsFolder)).files.size === 0) await pause(10);
    },
    async startController(log) {
      const controller = await startController({
        connection: await openConnection({ kubeconfig }),
        systemNamespace: namespace,
        namespaces: [],
        secretsFolder,
        concurrency: 16,
        metricsPort: 0,
        healthPort: 0,
        log,
      });
      running.defer(() => controller.stop());
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
