import { logLevel, openLog } from '../../telemetry/logs.ts';
import { stopRequested } from '../stop.ts';
import { openWorkshop } from './workshop.ts';
import { wrap } from '../terminal/wrap.ts';

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
  const workshop = await openWorkshop(port);
  const controller = wanted ? await workshop.startController(log) : undefined;
  const { kubeconfig, image, secretsFolder } = workshop;
  process.stdout.write(
    `export KUBECONFIG=${kubeconfig}\nexport IMAGE=${image}\nexport SIGNING_SECRETS=${secretsFolder}\n`,
  );
  process.stderr.write(
    [
      wrap(
        '',
        `The sandbox listens on ${workshop.sandbox.url}, its OCI registry on ${workshop.registry.host}. In another shell, run the lines above, then for instance:`,
      ),
      '  npx chains keygen --type ecdsa --secret | kubectl apply -f -',
      '  kubectl create -f examples/task-output-image.yaml',
      '  kubectl get taskruns',
      '  npx chains verify taskrun/NAME --key k8s://tekton-chains/signing-secrets',
      wrap(
        '',
        'IMAGE is an image in that registry, SIGNING_SECRETS where the Secret is mounted. Ctrl-C stops it; nothing is kept.',
      ),
      '',
    ].join('\n'),
  );
  await stop;
  await controller?.stop();
  await workshop.close();
}
