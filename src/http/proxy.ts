import { BlockList, isIP } from 'node:net';
import { ChainsError } from '../errors.ts';
import { bare, familyOf, scopeOf } from './addresses.ts';

/** The URL of a proxy; errors never quote it, since it can hold a password. @throws ChainsError CONNECTION_INVALID */
export function readProxyUrl(value: string, where: string): URL {
  const url = URL.parse(value);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new ChainsError(
    'CONNECTION_INVALID',
    `${where}: must be the URL of an HTTP proxy, as in http://proxy:3128`,
  );
}

/**
 * The proxy that HTTPS_PROXY (HTTP_PROXY for plain HTTP) and NO_PROXY give for a server, read as kubectl and Go read them;
 * loopback is never proxied.
 */
export function proxyFor(url: URL, environment: NodeJS.ProcessEnv): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = environment[name] || environment[name.toLowerCase()];
  if (!value || scopeOf(url.hostname) === 'loopback' || isExempt(url, environment)) return undefined;
  return readProxyUrl(value.includes('://') ? value : `http://${value}`, name);
}

/**
 * Whether NO_PROXY exempts a server: names (with their subdomains), `.suffixes`,
 * addresses and CIDR blocks, each with a port or without, or `*`.
 */
function isExempt(url: URL, environment: NodeJS.ProcessEnv): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const exceptions = (environment['NO_PROXY'] || environment['no_proxy'] || '').split(/[\s,]+/);
  return exceptions.some((entry) => matches(entry.toLowerCase(), bare(url.hostname), port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '' || entry === '*') return entry === '*';
  const [block, length] = entry.split('/');
  if (block !== undefined && length !== undefined) return inBlock(block, Number(length), host);
  const ported = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(entry);
  if (ported !== null && ported[3] !== port) return false;
  const name = ported?.[1] ?? ported?.[2] ?? bare(entry);
  if (isIP(name) !== 0) return name === host;
  const suffix = name.replace(/^\*?\./, '');
  return host.endsWith(`.${suffix}`) || (suffix === name && host === name);
}

function inBlock(block: string, length: number, host: string): boolean {
  const family = familyOf(block);
  const longest = family === 'ipv6' ? 128 : 32;
  if (isIP(block) === 0 || isIP(host) !== isIP(block) || !(length >= 0 && length <= longest)) return false;
  const list = new BlockList();
  list.addSubnet(block, length, family);
  return list.check(host, family);
}
