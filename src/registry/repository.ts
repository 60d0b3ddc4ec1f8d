/** A repository of a registry. */
export interface Repository {
  /** Host, with the port where it has one, as images are named: `index.docker.io`. */
  readonly host: string;
  /** `library/busybox` */
  readonly path: string;
}

const dockerHub = 'index.docker.io';

const hostForm = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;
/** Looser than the rules of any one registry: it excludes only what no registry takes. */
const pathForm = /^(?!\.{1,2}(?:\/|$))[a-z0-9_.-]+(?:\/(?!\.{1,2}(?:\/|$))[a-z0-9_.-]+)*$/;

/** Reads `HOST/PATH`, or a name of Docker Hub, without tag or digest (distribution specification, "Pulling manifests"); undefined when it is none. */
export function parseRepository(name: string): Repository | undefined {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const named = first === 'localhost' || /[.:]/.test(first);
  const host = named && first !== 'docker.io' ? first : dockerHub;
  const rest = named ? name.slice(slash + 1) : name;
  const path = host === dockerHub && !rest.includes('/') ? `library/${rest}` : rest;
  return hostForm.test(host) && path.length <= 255 && pathForm.test(path) ? { host, path } : undefined;
}

/** `host/path` */
export function repositoryName({ host, path }: Repository): string {
  return `${host}/${path}`;
}

/** The host of the registry's API; Docker Hub's differs from the host in its images' names. */
export function apiHost(host: string): string {
  return isDockerHub(host) ? 'registry-1.docker.io' : host;
}

/** True for every name of Docker Hub. */
export function isDockerHub(host: string): boolean {
  return host === 'docker.io' || host.endsWith('.docker.io');
}

/** True where plain HTTP is allowed if HTTPS doesn't answer: this machine, and names that only a local network knows. */
export function isLocal(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return (
    name === 'localhost' || name === '[::1]' || name.endsWith('.local') || /^127(?:\.\d{1,3}){3}$/.test(name)
  );
}
