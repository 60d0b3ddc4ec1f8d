import { BlockList, isIP } from 'node:net';
import { invalid } from './material.ts';

/** The URL of a proxy. Its user and password are never named. @throws ChainsError CONNECTION_INVALID */
export function readProxyUrl(value: string, where: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw invalid(where, 'must be the URL of an HTTP proxy, as in http://proxy:3128');
  }
  return url;
}

/**
 * The proxy that HTTPS_PROXY (HTTP_PROXY for plain HTTP) and NO_PROXY give for a server, read as kubectl reads them:
 * NO_PROXY has names (with their subdomains), `.suffixes`, addresses and CIDR blocks; loopback is never proxied.
 */
export function proxyFor(server: string, environment: NodeJS.ProcessEnv): URL | undefined {
  const url = new URL(server);
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = environment[name] || environment[name.toLowerCase()];
  if (!value) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const exceptions = (environment['NO_PROXY'] || environment['no_proxy'] || '').split(/[\s,]+/);
  if (isLoopback(host) || exceptions.some((entry) => matches(entry.toLowerCase(), host, port)))
    return undefined;
  return readProxyUrl(value.includes('://') ? value : `http://${value}`, name);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || matches('127.0.0.0/8', host, '') || host === '::1';
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
