import { ChainsError } from '../errors.ts';
import type { Resource } from '../kubernetes/call.ts';
import { reflect } from '../kubernetes/reflector.ts';
import { type Rest, unlessMissing } from '../kubernetes/rest.ts';
import {
  memberSelector,
  type MemberLease,
  newLease,
  readLease,
  type Renewal,
  renewalPatch,
} from './lease.ts';

const leases: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

/** Most Leases on a page of a list. */
const pageSize = 100;

/** The members' Leases in one namespace of the API server. */
export class Leases {
  readonly #rest: Rest;
  readonly #namespace: string;

  constructor(rest: Rest, namespace: string) {
    this.#rest = rest;
    this.#namespace = namespace;
  }

  /** All Leases as they are now. */
  async list(signal: AbortSignal): Promise<readonly MemberLease[]> {
    const query = { namespace: this.#namespace, labelSelector: memberSelector, limit: pageSize };
    const found: MemberLease[] = [];
    for await (const { items } of this.#rest.pages(leases, query, signal))
      found.push(...items.map(readLease));
    return found;
  }

  /** Creates a Lease, in place of one that an earlier process of the name has left: one in a container started again. */
  async create(name: string, renewal: Renewal, signal: AbortSignal): Promise<MemberLease> {
    const create = () => this.#rest.create(leases, this.#namespace, newLease(name, renewal), signal);
    const created = await create().catch(async (error: unknown) => {
      if (!(error instanceof ChainsError) || error.code !== 'CLUSTER_CONFLICT') throw error;
      await this.delete({ name }, signal);
      return create();
    });
    return readLease(created);
  }

  /** Renews a Lease; fails with 404 or 409 where it is gone, or another has its name. */
  async renew(
    { name, uid }: Pick<MemberLease, 'name' | 'uid'>,
    renewal: Renewal,
    signal: AbortSignal,
  ): Promise<void> {
    const patch = renewalPatch(uid, renewal);
    await this.#rest.mergePatch(leases, { namespace: this.#namespace, name }, patch, signal);
  }

  /** Deletes a Lease, if it is there; fails with 409 where it is another one, or was renewed, and that was ruled out. */
  async delete(
    { name, ...only }: { readonly name: string; readonly uid?: string; readonly resourceVersion?: string },
    signal: AbortSignal,
  ): Promise<void> {
    await unlessMissing(this.#rest.delete(leases, { namespace: this.#namespace, name }, only, signal));
  }

  /** Follows them until aborted. */
  follow(
    to: { seen(lease: MemberLease): void; gone(lease: MemberLease): void },
    signal: AbortSignal,
  ): Promise<void> {
    return reflect(
      this.#rest,
      {
        resource: leases,
        namespace: this.#namespace,
        listSelector: memberSelector,
        watchSelector: memberSelector,
      },
      {
        seen: (object) => to.seen(readLease(object)),
        gone: (object) => to.gone(readLease(object)),
        synced: () => {},
      },
      signal,
    );
  }
}
