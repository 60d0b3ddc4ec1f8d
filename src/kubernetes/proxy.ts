import { isExempt, isLoopback } from '../http/no-proxy.ts';
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
 * The proxy that HTTPS_PROXY (HTTP_PROXY for plain HTTP) and NO_PROXY give for a server, read as kubectl reads them;
 * loopback is never proxied.
 */
export function proxyFor(server: string, environment: NodeJS.ProcessEnv): URL | undefined {
  const url = new URL(server);
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = environment[name] || environment[name.toLowerCase()];
  if (!value) return undefined;
  if (isLoopback(url) || isExempt(url, environment)) return undefined;
  return readProxyUrl(value.includes('://') ? value : `http://${value}`, name);
}
