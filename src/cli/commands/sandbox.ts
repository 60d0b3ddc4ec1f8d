import { logLevel, openLog } from '../../telemetry/logs.ts';
import { stopRequested } from '../stop.ts';
import { startSandboxCluster } from './sandbox-cluster.ts';
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
  const cluster = await startSandboxCluster(port);
  const controller = wanted ? await cluster.startController(log) : undefined;
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
  await controller?.stop();
  await cluster.close();
}
