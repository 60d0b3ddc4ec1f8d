import type { AddressInfo } from 'node:net';

/** The port that a server listens on, given its address. */
export function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
