import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Where an address is: this machine, its own link (where clouds keep their metadata), a private network, or anywhere. */
export type Reach = 'loopback' | 'link-local' | 'private' | 'public';

const ranges: readonly (readonly [Reach, ...(readonly [address: string, bits: number])[]])[] = [
  ['loopback', ['127.0.0.0', 8], ['0.0.0.0', 8], ['::', 128], ['::1', 128]],
  ['link-local', ['169.254.0.0', 16], ['fe80::', 10]],
  ['private', ['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['100.64.0.0', 10], ['fc00::', 7]],
];

const lists = ranges.map(([reach, ...subnets]) => {
  const list = new BlockList();
  for (const [address, bits] of subnets) list.addSubnet(address, bits, familyOf(address));
  return [reach, list] as const;
});

/** Where a host is, by its name alone: a name that DNS has to resolve is taken for public. IPv4 in IPv6 counts as IPv4. */
export function reachOf(hostname: string): Reach {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host.endsWith('.localhost')) return 'loopback';
  if (isIP(host) === 0) return 'public';
  return lists.find(([, list]) => list.check(host, familyOf(host)))?.[0] ?? 'public';
}

/**
 * Why a server may not lead a client from one URL to another by a redirect, `Location`, `Link` or the realm of its tokens,
 * in words that follow what it names; undefined where it may. HTTPS never leads to HTTP, and no public server leads to a private address.
 */
export function leadFault(from: URL, to: URL): string | undefined {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return `is not an HTTP URL`;
  if (to.username !== '' || to.password !== '') return 'holds user information';
  if (from.protocol === 'https:' && to.protocol === 'http:') return 'leads from HTTPS to plain HTTP';
  if (to.hostname === from.hostname) return undefined;
  const reach = reachOf(to.hostname);
  return reach === 'public' || reach === reachOf(from.hostname)
    ? undefined
    : `leads to a ${reach} address, where the registry itself is not`;
}

/** A lookup for connections to hosts that a public server has named: none of their addresses may be inside. */
export const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const inside =
      error === null ? addresses.find(({ address }) => reachOf(address) !== 'public') : undefined;
    const fault =
      error ??
      (inside && new Error(`${hostname} is ${inside.address}, a ${reachOf(inside.address)} address`));
    const [first] = addresses ?? [];
    if (fault !== undefined && fault !== null) done(fault, '', 0);
    else if (options.all === true) done(null, addresses);
    else done(null, first?.address ?? '', first?.family);
  });
};

/** Whether a host's own addresses are all public ones; false, too, where it has none. */
export async function isPublic(hostname: string): Promise<boolean> {
  if (reachOf(hostname) !== 'public') return false;
  const addresses = await new Promise<readonly LookupAddress[]>((resolve) => {
    lookup(hostname, { all: true }, (error, found) => resolve(error === null ? found : []));
  });
  return addresses.length > 0 && addresses.every(({ address }) => reachOf(address) === 'public');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
