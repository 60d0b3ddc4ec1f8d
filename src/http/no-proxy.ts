import { BlockList, isIP } from 'node:net';

/**
 * Whether NO_PROXY exempts a server from the proxy, as kubectl and Go read it: names (with their subdomains), `.suffixes`,
 * addresses and CIDR blocks, each with a port or without, or `*`.
 */
export function isExempt(url: URL, environment: NodeJS.ProcessEnv): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const exceptions = (environment['NO_PROXY'] || environment['no_proxy'] || '').split(/[\s,]+/);
  return exceptions.some((entry) => matches(entry.toLowerCase(), hostOf(url), port));
}

/** Whether a server is on this machine. */
export function isLoopback(url: URL): boolean {
  const host = hostOf(url);
  return host === 'localhost' || host === '::1' || inBlock('127.0.0.0', 8, host);
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '' || entry === '*') return entry === '*';
  const [block, length] = entry.split('/');
  if (block !== undefined && length !== undefined) return inBlock(block, Number(length), host);
  const ported = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(entry);
  if (ported !== null && ported[3] !== port) return false;
  const name = ported?.[1] ?? ported?.[2] ?? entry.replace(/^\[|\]$/g, '');
  if (isIP(name) !== 0) return name === host;
  const suffix = name.replace(/^\*?\./, '');
  return host.endsWith(`.${suffix}`) || (suffix === name && host === name);
}

function inBlock(block: string, length: number, host: string): boolean {
  const family = isIP(block) === 6 ? 'ipv6' : 'ipv4';
  const valid =
    isIP(block) !== 0 &&
    isIP(host) === isIP(block) &&
    length >= 0 &&
    length <= (family === 'ipv6' ? 128 : 32);
  if (!valid) return false;
  const list = new BlockList();
  list.addSubnet(block, length, family);
  return list.check(host, family);
}
