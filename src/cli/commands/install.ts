import { configData, configMapName, parseConfig } from '../../config/parse.ts';
import { at, type JsonObject, listAt, textIn } from '../../json.ts';
import type { Resource } from '../../kubernetes/call.ts';
import { type Rest, unlessMissing } from '../../kubernetes/rest.ts';
import { applyObject, refuseAnotherProgram } from '../../install/apply.ts';
import { createCheckRun, deleteCheckRun, untilSigned } from '../../install/check-run.ts';
import { runResources } from '../../install/finalizers.ts';
import { manifestsText, readManifests } from '../../install/manifests.ts';
import { titleOf } from '../../install/resources.ts';
import { type Patience, untilReady } from '../../install/rollout.ts';
import { type ConnectionOptions, withCluster } from '../input/cluster.ts';
import { newP256Key } from '../keygen/new-keys.ts';
import { createSecret, signingSecret } from '../keygen/signing-secret.ts';
import { wrap } from '../terminal/layout.ts';
import { narrator, type Say } from '../terminal/narrator.ts';
import { showing } from '../terminal/progress.ts';
import { usageError } from '../usage-error.ts';
import { runVerify } from './verify.ts';

/** The options of `chains install`, as parsed. */
export interface InstallArguments extends ConnectionOptions {
  readonly image?: string;
  readonly namespace: string;
  /** Only print what would be applied. */
  readonly dryRun?: boolean;
  /** Seconds for the controller to become ready, and for the run to be signed. */
  readonly timeout: number;
}

const secrets: Resource = { group: '', version: 'v1', plural: 'secrets' };
const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps' };
const secretName = 'signing-secrets';

/**
 * `chains install`: applies `deploy/`, makes a key where the Secret is empty, waits for the controller, and signs and verifies a
 * run. Each step can be repeated: what is there already stays. Resolves to the exit code.
 */
export async function runInstall(
  options: InstallArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  const manifests = await readManifests(options);
  if (options.dryRun === true) {
    write(manifestsText(manifests));
    return 0;
  }
  const objects = manifests.map(({ object }) => object);
  const say = narrator(write);
  return withCluster(options, async (rest) => {
    const taskRuns = (await runResources(rest)).find(({ plural }) => plural === 'taskruns');
    if (taskRuns === undefined)
      throw usageError('the cluster has no TaskRuns; nothing was changed', {
        hint: 'Install Tekton Pipelines there first, then run this again.',
      });
    await refuseAnotherProgram(rest, objects);
    // The key comes before the Deployment, so that Pods find it mounted when they start.
    const isDeployment = ({ kind }: JsonObject) => kind === 'Deployment';
    await applyAll(
      rest,
      objects.filter((object) => !isDeployment(object)),
      say,
      options,
    );
    const keyed = await provideKey(rest, say, options);
    await startController(rest, objects.filter(isDeployment), say, options);
    return signAndVerify(rest, taskRuns, { say, write, keyed, options });
  });
}

async function applyAll(
  rest: Rest,
  objects: readonly JsonObject[],
  say: Say,
  { namespace }: InstallArguments,
): Promise<void> {
  const lines: string[] = [];
  await showing('applying the manifests', async () => {
    for (const object of objects)
      lines.push(wrap('      ', `${titleOf(object)}: ${await applyObject(rest, object)}`));
  });
  say(`Namespace, rights and configuration are in the namespace ${namespace}:`, ...lines);
}

/** Makes a key where one is needed and none is there; says whether a key in the Secret signs. */
async function provideKey(rest: Rest, say: Say, options: InstallArguments): Promise<boolean> {
  const { namespace } = options;
  const object = await unlessMissing(rest.get(configMaps, { namespace, name: configMapName }));
  const { config } = parseConfig(configData(object));
  const signers = (['taskrun', 'pipelinerun', 'oci'] as const).map(
    (kind) => config[`artifacts.${kind}.signer`],
  );
  if (config['signers.x509.fulcio.enabled'] || signers.every((signer) => signer === 'kms')) {
    say(
      `No key is made: ${configMapName} lets ${signers.includes('x509') ? 'Fulcio certify short-lived keys' : 'a KMS sign'}.`,
    );
    return false;
  }
  const secret = await unlessMissing(rest.get(secrets, { namespace, name: secretName }));
  if (Object.keys(at(secret, 'data') ?? {}).length > 0) {
    say(`The Secret ${secretName} holds a key already, which stays as it is.`);
    return true;
  }
  const { what, files } = newP256Key();
  await createSecret(signingSecret(namespace, files), namespace, options);
  say(
    `A new ${what} is in the Secret ${secretName}; nobody else has a copy. Keep one: kubectl get secret ${secretName} -n ${namespace} -o yaml`,
  );
  return true;
}

async function startController(
  rest: Rest,
  deployments: readonly JsonObject[],
  say: Say,
  { timeout }: InstallArguments,
): Promise<void> {
  for (const deployment of deployments) {
    await applyObject(rest, deployment);
    const [container] = listAt(deployment, 'spec', 'template', 'spec', 'containers');
    say(`${titleOf(deployment)} is applied, with the image ${textIn(at(container, 'image'))}.`);
    await showing(`waiting for ${titleOf(deployment)}`, () =>
      untilReady(rest, deployment, patience(timeout)),
    );
    say('It is ready. From now on each run that ends is signed.');
  }
}

function patience(seconds: number): Patience {
  return { within: seconds * 1000, every: 500 };
}

interface Checking {
  readonly say: Say;
  readonly write: (text: string) => unknown;
  /** Whether a key in the Secret signs. */
  readonly keyed: boolean;
  readonly options: InstallArguments;
}

async function signAndVerify(
  rest: Rest,
  taskRuns: Resource,
  { say, write, keyed, options }: Checking,
): Promise<number> {
  const { namespace, kubeconfig, context, timeout } = options;
  const run = await createCheckRun(rest, taskRuns, namespace);
  const name = `taskrun/${run.name.name}`;
  say(
    `TaskRun ${run.name.name} was created to try it. It is cancelled from the start, so that it needs no Pod.`,
  );
  await showing('waiting for its signature', () => untilSigned(rest, run, patience(timeout)));
  if (!keyed) {
    say(
      `It is signed. With what to verify it, docs/verifying.md says; the TaskRun stays: chains verify ${name} -n ${namespace} …`,
    );
    return 0;
  }
  const key = `k8s://${namespace}/${secretName}`;
  say(`It is signed. chains verify ${name} -n ${namespace} --key ${key} says:`);
  const code = await runVerify(
    [name],
    {
      ...{ kubeconfig, context, namespace, systemNamespace: namespace },
      ...{ key: [key], file: [], output: 'text' },
    },
    write,
  );
  if (code !== 0) return code;
  await deleteCheckRun(rest, run);
  say('The TaskRun is deleted again. chains uninstall takes everything away.');
  return 0;
}
