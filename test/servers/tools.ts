import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Programs built by the install script: the folder of their `go.mod`, and the module there whose version they carry. */
const built = {
  etcd: ['kubernetes', 'go.etcd.io/etcd/server/v3'],
  'kube-apiserver': ['kubernetes', 'k8s.io/kubernetes'],
  kubectl: ['kubernetes', 'k8s.io/kubernetes'],
  'fake-gcs-server': ['gcs', 'github.com/fsouza/fake-gcs-server'],
  docstore: ['docstore', 'gocloud.dev'],
  ferretdb: ['mongo', 'github.com/FerretDB/FerretDB'],
  otelcol: ['collector', 'go.opentelemetry.io/collector/otelcol'],
  helm: ['helm', 'helm.sh/helm/v3'],
  vault: ['vault', 'github.com/hashicorp/vault'],
} as const;

/** Programs that the install script puts into a folder of their own: the folder, and the program in it. */
const unpacked = {
  'cosign 2': ['cosign-2.5', 'cosign'],
  'cosign 3': ['cosign-3.1', 'cosign'],
  'docker-registry': ['docker-registry-2.8', 'docker-registry'],
  registry: ['registry-0.22.1', 'registry'],
  oras: ['oras-1.2', 'oras'],
  promtool: ['promtool-3.5', 'promtool'],
  fulcio: ['fulcio-1.8.8', 'fulcio'],
  'timestamp-server': ['timestamp-2.1.3', 'timestamp-server'],
  'rekor-tiles': ['rekor-tiles-2.3.0', 'rekor-tiles'],
  'rekor-server': ['rekor-1.5.4', 'rekor-server'],
  trillian_log_server: ['trillian-log-1.7.3', 'trillian_log_server'],
  trillian_log_signer: ['trillian-signer-1.7.3', 'trillian_log_signer'],
  'kube-controller-manager': ['kube-controller-manager-1.36.3', 'kube-controller-manager'],
  'tekton-controller': ['tekton-1.15.0', 'controller'],
  'tekton-webhook': ['tekton-1.15.0', 'webhook'],
} as const;

/** Programs of the operating system. */
const installed = [
  'openssl',
  'jq',
  'gpg',
  'zsh',
  'fish',
  'mariadb',
  'mariadb-install-db',
  'mariadbd',
] as const;

type Installed = (typeof installed)[number];

const isInstalled = (name: Tool): name is Installed => installed.some((known) => known === name);
const isUnpacked = (name: Tool): name is keyof typeof unpacked => Object.hasOwn(unpacked, name);

/** A real server or tool that tests run against. */
export type Tool = keyof typeof built | keyof typeof unpacked | Installed;

/**
 * The path of a program: below the cache of `scripts/install-test-servers.sh`, in `KUBEBUILDER_ASSETS` where that is
 * set, or in `PATH` for what the operating system brings. Throws, naming the script, when it is not there.
 */
export function tool(name: Tool, environment: NodeJS.ProcessEnv = process.env): string {
  const candidates = candidatesFor(name, environment);
  const path = candidates.find(isExecutable);
  if (path !== undefined) return path;
  const where = isInstalled(name) ? 'PATH' : candidates[0];
  throw new Error(`${name} is not at ${where}: run scripts/install-test-servers.sh`);
}

function candidatesFor(name: Tool, environment: NodeJS.ProcessEnv): readonly string[] {
  if (isInstalled(name)) {
    const folders = [...(environment['PATH'] ?? '').split(delimiter), '/usr/sbin'];
    return folders.map((folder) => join(folder, name));
  }
  if (isUnpacked(name)) return [join(cacheFolder(environment), ...unpacked[name])];
  const [folder, module] = built[name];
  const assets = environment['KUBEBUILDER_ASSETS'];
  if (folder === 'kubernetes' && assets !== undefined && assets !== '') return [join(assets, name)];
  return [join(cacheFolder(environment), `${name}-${versionOf(folder, module)}`, name)];
}

function cacheFolder(environment: NodeJS.ProcessEnv): string {
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tekton-chains-test-servers');
}

/** The tables that Trillian keeps its logs in, as SQL. */
export function trillianSchema(environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment), 'trillian-schema-1.7.3', 'trillian.sql');
}

/** The folder of Tekton's own manifests: CRDs, ConfigMaps, webhooks, and how its programs are started. */
export function tektonManifests(environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment), 'tekton-1.15.0', 'config');
}

/** The class path of DynamoDB Local, in the version that its `pom.xml` pins. Throws, naming the script, when it is not there. */
export function dynamodbLocal(environment: NodeJS.ProcessEnv = process.env): string {
  const pom = readFileSync(new URL('dynamodb/pom.xml', import.meta.url), 'utf8');
  const version = /DynamoDBLocal<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1];
  const folder = join(cacheFolder(environment), `dynamodb-local-${version}`);
  if (existsSync(folder)) return join(folder, '*');
  throw new Error(`DynamoDB Local is not at ${folder}: run scripts/install-test-servers.sh`);
}

/** The version that `go.mod` pins, so that it is written in one place; the script reads it there too. */
function versionOf(folder: string, module: string): string {
  const file = new URL(`${folder}/go.mod`, import.meta.url);
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .map((text) =>
      text
        .replace(/^require /, '')
        .trim()
        .split(' '),
    );
  const version = line.find(([path]) => path === module)?.[1];
  if (version === undefined) throw new Error(`${file.pathname} does not require ${module}`);
  return version.replace(/^v/, '');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
