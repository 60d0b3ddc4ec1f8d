import { at, type JsonObject, textIn } from '../json.ts';
import { processIdentity } from './process-identity.ts';

const labels = { 'app.kubernetes.io/name': 'tekton-chains', 'app.kubernetes.io/component': 'member' };
/** The label selector that finds the members' Leases. */
export const memberSelector = Object.entries(labels)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');

const viewAnnotation = 'chains.tekton.dev/members';
const processAnnotation = 'chains.tekton.dev/process';

/** Most names in a view: no more are read, and so no more members may work. */
export const mostMembers = 100;

/** One member's Lease: that it exists makes the member one. */
export interface MemberLease {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** As written; only whether it changes matters, since the other's clock may be wrong. */
  readonly renewTime: string;
  readonly createdAt: string;
  /** Milliseconds after which it has expired if it was not renewed. */
  readonly duration: number;
  /** The members that this one works with; empty while it stands by. */
  readonly members: readonly string[];
  /** Which process holds it, see `processIdentity`; empty where unknown. */
  readonly process: string;
}

/** What a member writes into its Lease. */
export interface Renewal {
  readonly members: readonly string[];
  /** Milliseconds. */
  readonly duration: number;
}

/** Reads a Lease; what is missing in it is empty, and it then expires at once. */
export function readLease(lease: JsonObject): MemberLease {
  const metadata = (...path: string[]): string => textIn(at(lease, 'metadata', ...path));
  const seconds = at(lease, 'spec', 'leaseDurationSeconds');
  return {
    name: metadata('name'),
    uid: metadata('uid'),
    resourceVersion: metadata('resourceVersion'),
    createdAt: metadata('creationTimestamp'),
    renewTime: textIn(at(lease, 'spec', 'renewTime')),
    duration: typeof seconds === 'number' ? seconds * 1000 : 0,
    members: metadata('annotations', viewAnnotation)
      .split(',', mostMembers)
      .filter((name) => name !== ''),
    process: metadata('annotations', processAnnotation),
  };
}

/** A member's new Lease. */
export function newLease(name: string, { members, duration }: Renewal): JsonObject {
  const now = microTime(new Date());
  const process = processIdentity();
  const annotations = {
    [viewAnnotation]: members.join(','),
    ...(process === undefined ? {} : { [processAnnotation]: process }),
  };
  const leaseDurationSeconds = wholeSeconds(duration);
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, labels, annotations },
    spec: { holderIdentity: name, leaseDurationSeconds, acquireTime: now, renewTime: now },
  };
}

/** A merge patch that renews a Lease, and is refused (409) where another Lease has its name by now. */
export function renewalPatch(uid: string, { members, duration }: Renewal): JsonObject {
  return {
    metadata: { uid, annotations: { [viewAnnotation]: members.join(',') } },
    spec: { leaseDurationSeconds: wholeSeconds(duration), renewTime: microTime(new Date()) },
  };
}

function wholeSeconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

/** Kubernetes' MicroTime: six digits of the second. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
