import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts, outputOf, type Running, run, start, temporaryFolder } from './process.ts';
import { tool } from './tools.ts';

/** A real kube-apiserver with etcd behind it, with the namespace `tekton-chains` and CRDs of runs, unless it is bare. */
export interface Cluster {
  readonly url: string;
  /** Bearer token of a user of the group `system:masters`. */
  readonly token: string;
  /** PEM of what signed the server's certificate. */
  readonly ca: string;
  /** Text of a kubeconfig with all of the above. */
  readonly kubeconfig: string;
  /** The same in a file, for `kubectl`. */
  readonly kubeconfigFile: string;
  /** Runs the real `kubectl` on this cluster and gives its standard output; rejects with what it said when it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Sends the API server a signal. */
  signalServer(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
  /** Starts the API server that was killed again, and resolves when it is ready. */
  restartServer(): Promise<void>;
  /** Stops both servers and removes their data. */
  close(): Promise<void>;
}

const token = 'test-administrator';
const crds = fileURLToPath(new URL('crds.yaml', import.meta.url));
const startAttempts = 3;
const startPatience = 90_000;

/**
 * Starts etcd and kube-apiserver on free ports of the loopback interface and waits until they are ready. There is no
 * controller-manager: nothing collects garbage, and a namespace's contents stay when it is deleted.
 */
export function startCluster(): Promise<Cluster> {
  return startWith({ crds: true });
}

/** The same without the CRDs of `crds.yaml`: for Tekton to bring its own. */
export function startBareCluster(): Promise<Cluster> {
  return startWith({ crds: false });
}

async function startWith(options: { readonly crds: boolean }): Promise<Cluster> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Another program may have taken a port between its being found free and its being used.
      if (attempt === startAttempts || !/address already in use/.test(String(error))) throw error;
    }
  }
}

async function startOnce(options: { readonly crds: boolean }): Promise<Cluster> {
  const [etcdProgram, serverProgram, kubectlProgram] = [
    tool('etcd'),
    tool('kube-apiserver'),
    tool('kubectl'),
  ];
  const folder = await temporaryFolder('tekton-chains-cluster');
  const programs: Running[] = [];
  const close = async (): Promise<void> => {
    // The API server first: without etcd it would wait for it.
    for (const program of programs.toReversed()) await program.stop();
    await folder.remove();
  };
  try {
    const [clientPort, peerPort, port] = await freePorts(3);
    const etcdUrl = `http://127.0.0.1:${clientPort}`;
    const url = `https://127.0.0.1:${port}`;
    const etcd = start(
      etcdProgram,
      etcdArguments(join(folder.path, 'etcd'), etcdUrl, `http://127.0.0.1:${peerPort}`),
    );
    programs.push(etcd);
    const signingKey = join(folder.path, 'service-account.key');
    const tokens = join(folder.path, 'tokens.csv');
    await writeFile(signingKey, newSigningKey());
    await writeFile(tokens, `${token},administrator,administrator,"system:masters"\n`);
    const certificates = join(folder.path, 'certificates');
    const serverArguments = [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${certificates}`,
      `--service-account-key-file=${signingKey}`,
      `--service-account-signing-key-file=${signingKey}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--authorization-mode=RBAC',
      `--token-auth-file=${tokens}`,
      '--disable-admission-plugins=ServiceAccount',
    ];
    let server = start(serverProgram, serverArguments);
    programs.push(server);

    const certificate = join(certificates, 'apiserver.crt');
    const ca = await until(programs, async () => readFile(certificate, 'utf8').catch(() => undefined));
    const kubeconfig = kubeconfigFor(url, ca);
    const kubeconfigFile = join(folder.path, 'kubeconfig');
    await writeFile(kubeconfigFile, kubeconfig, { mode: 0o600 });
    const globals = ['--kubeconfig', kubeconfigFile, '--cache-dir', join(folder.path, 'kubectl')];
    const kubectl = (args: readonly string[], input?: string): Promise<string> =>
      outputOf(kubectlProgram, [...globals, ...args], input === undefined ? {} : { input });
    const ready = (): Promise<string> =>
      until(programs, async () => {
        const { stdout } = await run(kubectlProgram, [...globals, 'get', '--raw', '/readyz']);
        return stdout === 'ok' ? stdout : undefined;
      });
    await ready();
    if (options.crds) {
      await kubectl(['apply', '-f', crds]);
      await kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', crds]);
      // What is established is refused with 429 until its storage is ready.
      await until(programs, async () => {
        const { code } = await run(kubectlProgram, [...globals, 'get', 'taskruns,pipelineruns', '-A']);
        return code === 0 ? true : undefined;
      });
    }
    await kubectl(['create', 'namespace', 'tekton-chains']);
    return {
      ...{ url, token, ca, kubeconfig, kubeconfigFile, kubectl, close },
      signalServer: (signal) => server.kill(signal),
      async restartServer() {
        await server.finished;
        programs.splice(programs.indexOf(server), 1);
        server = start(serverProgram, serverArguments);
        programs.push(server);
        await ready();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function etcdArguments(folder: string, clientUrl: string, peerUrl: string): readonly string[] {
  const peers = ['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl];
  const clients = ['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl];
  return [
    '--data-dir',
    folder,
    ...clients,
    ...peers,
    '--initial-cluster',
    `default=${peerUrl}`,
    '--unsafe-no-fsync',
  ];
}

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Asks again and again until there is an answer; rejects with the output of a server that ended meanwhile. */
async function until<Answer>(
  programs: readonly Running[],
  ask: () => Promise<Answer | undefined>,
): Promise<Answer> {
  const ended = Promise.race(
    programs.map(async (program) => {
      const { code } = await program.finished;
      throw new Error(`a server ended with ${code}:\n${program.output().slice(-4000)}`);
    }),
  );
  const answer = async (): Promise<Answer> => {
    const deadline = Date.now() + startPatience;
    while (Date.now() < deadline) {
      const found = await ask();
      if (found !== undefined) return found;
      await pause(50);
    }
    throw new Error(
      `not ready after ${startPatience / 1000} s:\n${programs.map((program) => program.output().slice(-2000)).join('\n')}`,
    );
  };
  return Promise.race([answer(), ended]);
}

function kubeconfigFor(url: string, ca: string): string {
  return `apiVersion: v1
kind: Config
current-context: test
clusters:
  - name: test
    cluster:
      server: ${url}
      certificate-authority-data: ${Buffer.from(ca).toString('base64')}
users:
  - name: administrator
    user:
      token: ${token}
contexts:
  - name: test
    context:
      cluster: test
      user: administrator
`;
}
