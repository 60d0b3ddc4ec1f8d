import { lookup } from 'node:dns';
import { lookup as resolve } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** The scope of an address: this machine, its own link (which has the metadata servers of clouds), a private network, or public. */
export type AddressScope = 'loopback' | 'link-local' | 'private' | 'public';

const ranges: readonly (readonly [AddressScope, ...(readonly [address: string, bits: number])[]])[] = [
  ['loopback', ['127.0.0.0', 8], ['0.0.0.0', 8], ['::', 128], ['::1', 128]],
  ['link-local', ['169.254.0.0', 16], ['fe80::', 10]],
  ['private', ['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['100.64.0.0', 10], ['fc00::', 7]],
];

const lists = ranges.map(([scope, ...subnets]) => {
  const list = new BlockList();
  for (const [address, bits] of subnets) list.addSubnet(address, bits, familyOf(address));
  return [scope, list] as const;
});

/** The scope of a host by its name alone: a name that DNS has to resolve is public. IPv4 in IPv6 is treated as IPv4. */
export function scopeOf(hostname: string): AddressScope {
  const host = bare(hostname).toLowerCase();
  if (host === 'localhost' || host.endsWith('.localhost')) return 'loopback';
  if (isIP(host) === 0) return 'public';
  return lists.find(([, list]) => list.check(host, familyOf(host)))?.[0] ?? 'public';
}

/**
 * Why a client must not follow a server from one URL to another by a redirect, `Location`, `Link` or the realm of its tokens,
 * as the end of a message; undefined where it may. HTTPS never leads to HTTP, and no public server leads to a private address.
 */
export function redirectFault(from: URL, to: URL): string | undefined {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return `is not an HTTP URL`;
  if (to.username !== '' || to.password !== '') return 'holds user information';
  if (from.protocol === 'https:' && to.protocol === 'http:') return 'leads from HTTPS to plain HTTP';
  if (to.hostname === from.hostname) return undefined;
  const scope = scopeOf(to.hostname);
  return scope === 'public' || scope === scopeOf(from.hostname)
    ? undefined
    : `leads to a ${scope} address, where the registry itself is not`;
}

/** A lookup for connections to hosts that a public server has named: all of their addresses must be public. */
export const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, '', 0);
    const inside = addresses.find(({ address }) => scopeOf(address) !== 'public');
    if (inside !== undefined)
      return done(new Error(`${hostname} is ${inside.address}, a ${scopeOf(inside.address)} address`), '', 0);
    const [first] = addresses;
    return options.all === true ? done(null, addresses) : done(null, first?.address ?? '', first?.family);
  });
};

/** Whether all addresses of a host are public; false where it has none. */
export async function isPublic(hostname: string): Promise<boolean> {
  if (scopeOf(hostname) !== 'public') return false;
  const addresses = await resolve(hostname, { all: true }).catch(() => []);
  return addresses.length > 0 && addresses.every(({ address }) => scopeOf(address) === 'public');
}

/** A host without the brackets around an IPv6 address. */
export function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

/** The family of an IP address. */
export function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
