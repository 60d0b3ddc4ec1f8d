import { invalid } from './material.ts';
import { withoutTrailing } from '../text.ts';

/** An API server's base URL without a trailing slash. @throws ChainsError CONNECTION_INVALID */
export function readServer(address: string, where: string): string {
  if (address === '')
    throw invalid(where, 'is missing; it must be the API server’s address, as in https://host:6443');
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw invalid(where, 'must be a URL that begins with https:// or http://');
  }
  if (url.username !== '' || url.search !== '' || url.hash !== '') {
    throw invalid(where, 'must have no user, query or fragment');
  }
  return `${url.origin}${withoutTrailing(url.pathname, '/')}`;
}
