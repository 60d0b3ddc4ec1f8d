import { dirname, resolve } from 'node:path';
import { execIdentity } from './exec-plugin.ts';
import type { Cluster, Context, KubeconfigEntry, Kubeconfig, User } from './kubeconfig.ts';
import { bearer, checkCa, checkPair, decodeBase64, invalid, readText } from './material.ts';
import { proxyFor, readProxyUrl } from '../http/proxy.ts';
import { type ClusterIdentity, readServer, type ClusterTarget } from './target.ts';

/**
 * The cluster and user of one context.
 * @param context the context's name; the kubeconfig's current one by default
 * @throws ChainsError CONNECTION_INVALID with file, field, problem and remedy
 */
export function kubeconfigTarget(
  config: Kubeconfig,
  context: string | undefined,
  environment: NodeJS.ProcessEnv,
  now: () => number,
): ClusterTarget {
  const chosen = chooseContext(config, context);
  const [clusterName, userName] = [chosen.value.cluster, chosen.value.user || undefined];
  const cluster = config.clusters.get(clusterName);
  if (cluster === undefined) {
    throw invalid(chosen.file, `the context names the cluster "${clusterName}", which no kubeconfig has`);
  }
  const user = userName === undefined ? undefined : config.users.get(userName);
  if (userName !== undefined && user === undefined) {
    throw invalid(chosen.file, `the context names the user "${userName}", which no kubeconfig has`);
  }
  return targetOf(
    { ...cluster, where: (field) => `${cluster.file}: cluster "${clusterName}": ${field}` },
    user && { ...user, where: (field) => `${user.file}: user "${userName}": ${field}` },
    chosen.value.namespace || 'default',
    environment,
    now,
  );
}

/** An entry that can say where one of its fields is. */
type Located<T> = KubeconfigEntry<T> & { where(field: string): string };

function chooseContext(config: Kubeconfig, wanted: string | undefined): KubeconfigEntry<Context> {
  const files = config.files.join(', ');
  const known = [...config.contexts.keys()].join(', ') || 'none';
  const name = wanted ?? config.currentContext;
  if (name === undefined)
    throw invalid(files, `current-context is not set; give --context (there are: ${known})`);
  const context = config.contexts.get(name);
  if (context === undefined) throw invalid(files, `there is no context "${name}" (there are: ${known})`);
  return context;
}

function targetOf(
  cluster: Located<Cluster>,
  user: Located<User> | undefined,
  namespace: string,
  environment: NodeJS.ProcessEnv,
  now: () => number,
): ClusterTarget {
  const { server: address, 'proxy-url': proxyUrl, 'tls-server-name': serverName } = cluster.value;
  const server = readServer(address ?? '', cluster.where('server'));
  const insecure = cluster.value['insecure-skip-tls-verify'] === true;
  const readCa = material(cluster, cluster.value, 'certificate-authority');
  if (insecure && readCa !== undefined) {
    const where = cluster.where('insecure-skip-tls-verify');
    throw invalid(where, 'is set together with certificate-authority; remove one of the two');
  }
  const ca = async () => readCa && checkCa(await readCa.read(), readCa.where, now());
  const proxy = proxyUrl
    ? readProxyUrl(proxyUrl, cluster.where('proxy-url'))
    : proxyFor(new URL(server), environment);
  const info = {
    server,
    ...(serverName ? { 'tls-server-name': serverName } : {}),
    ...(insecure ? { 'insecure-skip-tls-verify': true } : {}),
    ...(proxyUrl ? { 'proxy-url': proxyUrl } : {}),
    config: cluster.value.extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec')
      ?.extension,
  };
  const clusterInfo = async () => {
    const pem = await ca();
    return pem === undefined
      ? info
      : { ...info, 'certificate-authority-data': Buffer.from(pem).toString('base64') };
  };
  return {
    server,
    namespace,
    proxy,
    serverName: serverName || undefined,
    insecure,
    ca,
    identity: user === undefined ? async () => ({}) : identityOf(user, clusterInfo, environment, now),
  };
}

interface TlsFiles {
  readonly where: string;
  read(): Promise<string>;
}

/** A field that comes as a file's path or, in `FIELD-data`, as base64; the latter wins. */
function material<F extends 'certificate-authority' | 'client-certificate' | 'client-key'>(
  entry: Located<unknown>,
  values: { readonly [K in F | `${F}-data`]?: string | null | undefined },
  field: F,
): TlsFiles | undefined {
  const [path, data] = [values[field], values[`${field}-data`]];
  if (data) {
    const where = entry.where(`${field}-data`);
    return { where, read: async () => decodeBase64(data, where) };
  }
  if (!path) return undefined;
  const where = entry.where(field);
  return { where, read: () => readText(relativeTo(entry.file, path), where) };
}

function relativeTo(file: string, path: string): string {
  return resolve(dirname(file), path);
}

type ReadIdentity = (force: boolean) => Promise<ClusterIdentity>;

function identityOf(
  user: Located<User>,
  clusterInfo: () => Promise<object>,
  environment: NodeJS.ProcessEnv,
  now: () => number,
): ReadIdentity {
  const { exec, as } = user.value;
  if (user.value['auth-provider'] != null) {
    const plugin = user.value['auth-provider'].name ?? '';
    const where = user.where('auth-provider');
    throw invalid(where, `"${plugin}" is the old way, which kubectl dropped too; use an exec plugin instead`);
  }
  if (as)
    throw invalid(user.where('as'), "acting as another user is not supported; use that user's credential");
  const pair = clientCertificate(user, now);
  const header = headerOf(user);
  if (header === undefined && exec != null) {
    const run = execIdentity(exec, user.file, user.where('exec'), clusterInfo, environment, now);
    return async (force) => ({ ...(await pair?.()), ...(await run(force)) });
  }
  return async () => ({ ...(await pair?.()), authorization: await header?.() });
}

function headerOf(user: Located<User>): (() => Promise<string>) | undefined {
  const { token, tokenFile, username, password } = user.value;
  if (tokenFile) {
    const [path, where] = [relativeTo(user.file, tokenFile), user.where('tokenFile')];
    return async () => bearer(await readText(path, where), `${where} (${path})`);
  }
  if (token) return async () => bearer(token, user.where('token'));
  if (!username) return undefined;
  const credentials = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  return async () => `Basic ${credentials}`;
}

function clientCertificate(
  user: Located<User>,
  now: () => number,
): (() => Promise<ClusterIdentity>) | undefined {
  const certificate = material(user, user.value, 'client-certificate');
  const key = material(user, user.value, 'client-key');
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined)
    throw invalid(user.where('client-certificate'), 'is missing, though client-key is set');
  if (key === undefined)
    throw invalid(user.where('client-key'), 'is missing, though client-certificate is set');
  return async () => {
    const pair = { cert: await certificate.read(), key: await key.read() };
    return { certificate: checkPair(pair, { cert: certificate.where, key: key.where }, now()) };
  };
}
