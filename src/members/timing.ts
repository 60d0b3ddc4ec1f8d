import { at, type JsonObject } from '../json.ts';
import { ChainsError } from '../errors.ts';
import type { Resource } from '../kubernetes/call.ts';
import type { Rest } from '../kubernetes/rest.ts';
import type { Log } from '../telemetry/logs.ts';
import { duration, show, type ValueType } from '../config/values.ts';
import { mostMembers } from './lease.ts';

/** The ConfigMap that says how replicas share the work; its keys are those that Knative's controllers read. */
export const timingConfigMap = 'tekton-chains-config-leader-election';

/** How members renew their Leases, in milliseconds, and how many of them work at once. */
export interface Timing {
  /** A member whose Lease was not renewed for so long is considered dead, and its share goes to the others. */
  readonly leaseDuration: number;
  /** A member that could not renew its Lease for so long stops working. */
  readonly renewDeadline: number;
  /** Between two renewals. */
  readonly retryPeriod: number;
  /** Members that work; more of them stand by. */
  readonly buckets: number;
}

/** What reading the ConfigMap needs. */
export interface TimingSource {
  readonly rest: Rest;
  readonly log: Log;
  readonly namespace: string;
}

/** What is in force without the ConfigMap: a share is taken over 12 seconds after a crash, and all replicas work. */
export const defaultTiming: Timing = {
  leaseDuration: 12_000,
  renewDeadline: 8_000,
  retryPeriod: 4_000,
  buckets: mostMembers,
};

const buckets: ValueType<number> = {
  allowed: 'a whole number from 1 to 10',
  parse: (text) =>
    /^([1-9]|10)$/.test(text) ? { ok: true, value: Number(text) } : { ok: false, wrong: 'which is not one' },
};

const keys: { readonly [K in keyof Timing]: readonly [key: string, type: ValueType<number>] } = {
  leaseDuration: ['lease-duration', duration],
  renewDeadline: ['renew-deadline', duration],
  retryPeriod: ['retry-period', duration],
  buckets: ['buckets', buckets],
};

const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps' };

/** Reads the ConfigMap; without it, or with a bad one, the defaults are in force. Rejects when the API server doesn't answer. */
export async function readTiming(
  { rest, log, namespace }: TimingSource,
  signal: AbortSignal,
): Promise<Timing> {
  try {
    return parseTiming(await rest.get(configMaps, { namespace, name: timingConfigMap }, signal));
  } catch (error) {
    if (!(error instanceof ChainsError) || error.code === 'CLUSTER_UNAVAILABLE') throw error;
    const isExpected = error.status === 404 || error.status === 403;
    log[isExpected ? 'debug' : 'error'](`${error.message}: the defaults are in force`, { code: error.code });
    return defaultTiming;
  }
}

/**
 * Reads the ConfigMap's data; other keys of Knative's are ignored.
 * @throws ChainsError CONFIG_INVALID when a value is not allowed, or the three times are not each longer than the next.
 */
export function parseTiming(configMap: JsonObject): Timing {
  const read = (name: keyof Timing): number => {
    const [key, type] = keys[name];
    const text = at(configMap, 'data', key);
    if (text === undefined) return defaultTiming[name];
    const parsed = type.parse(String(text));
    if (parsed.ok) return parsed.value;
    throw invalid(`${key} is ${show(String(text))}, ${parsed.wrong}; use ${type.allowed}`);
  };
  const timing = {
    leaseDuration: read('leaseDuration'),
    renewDeadline: read('renewDeadline'),
    retryPeriod: read('retryPeriod'),
    buckets: read('buckets'),
  };
  const { leaseDuration, renewDeadline, retryPeriod } = timing;
  if (leaseDuration > renewDeadline && renewDeadline > retryPeriod && retryPeriod >= 100) return timing;
  throw invalid(
    'lease-duration must be longer than renew-deadline, and that longer than retry-period, of at least 100ms' +
      ` (they are ${leaseDuration}, ${renewDeadline} and ${retryPeriod} ms)`,
  );
}

function invalid(message: string): ChainsError {
  return new ChainsError('CONFIG_INVALID', `${timingConfigMap}: ${message}`);
}
