import { type Connection, LiveConnection } from './live-connection.ts';
import { inClusterTarget, serviceAccountFolder } from './in-cluster.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { kubeconfigTarget } from './kubeconfig-target.ts';
import { invalid } from './material.ts';

/**
 * Opens the cluster of a kubeconfig: the file given, else KUBECONFIG, else `~/.kube/config`; else of this pod's own service
 * account. Credentials are read (an exec plugin is run), but nothing is sent to the server yet.
 * @param options `environment`: the process's by default. `serviceAccount` (a folder) and `now` (milliseconds) are for tests.
 * @throws ChainsError CONNECTION_INVALID: one line with file, field and problem
 */
export async function openConnection(
  options: {
    kubeconfig?: string | undefined;
    context?: string | undefined;
    environment?: NodeJS.ProcessEnv;
    serviceAccount?: string;
    now?: () => number;
  } = {},
): Promise<Connection> {
  const { environment = process.env, serviceAccount = serviceAccountFolder, now = Date.now } = options;
  const kubeconfig = await readKubeconfig(options.kubeconfig, environment);
  if (kubeconfig === undefined && options.context !== undefined) {
    throw invalid(
      'no cluster',
      `there is no kubeconfig with a context "${options.context}"; give --kubeconfig`,
    );
  }
  const target =
    kubeconfig === undefined
      ? await inClusterTarget(serviceAccount, environment, now)
      : kubeconfigTarget(kubeconfig, options.context, environment, now);
  return LiveConnection.open(target, now);
}
