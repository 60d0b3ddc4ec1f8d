import type { StoreName } from '../config/keys.ts';
import { parseConfig } from '../config/parse.ts';
import type { JsonObject } from '../json.ts';
import type { Problem } from '../model/problem.ts';
import { parseRun } from '../model/run.ts';
import { type Expectations, readKeys, type Verification, verifyStores } from '../verify/index.ts';
import { configProblems } from './explain.ts';

export type { Check, Expectations, Verification } from '../verify/index.ts';

/** What was verified, and what is odd about the configuration. */
export interface VerifiedRun extends Verification {
  readonly problems: readonly Problem[];
}

/** A signed run, the keys that may have signed it, and what its provenance must say. */
export interface VerifyInput {
  /** A TaskRun or PipelineRun with its annotations, as `kubectl get -o json` gives it. */
  readonly run: unknown;
  /** Public keys or certificates in PEM, or armored PGP public keys; any one of them will do. */
  readonly keys: readonly string[];
  readonly expected?: Expectations;
  /** The stores that must have the run, each; by default only its annotations, the store `tekton`, are looked at. */
  readonly stores?: readonly StoreName[];
  /** The `data` of a ConfigMap `chains-config`, which says where these stores are. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The TaskRuns of a PipelineRun, whose results lead to what stores have of it. */
  readonly taskRuns?: readonly JsonObject[];
}

/**
 * Verifies what stores have of a run: signatures, that the payloads are about this very run, and what is expected of its
 * provenance.
 * @example
 * const { verified, checks } = await verify({ run, keys: [publicKeyPem], expected: { require: 'slsa-v1' } });
 * if (!verified) console.log(checks.filter(({ ok }) => !ok));
 * @throws ChainsError KEY_INVALID when a key can't be read, RUN_UNREADABLE when it is not a run, CONFIG_INVALID, and STORE_…
 * when a store can't be read.
 */
export async function verify({
  run: object,
  keys,
  expected = {},
  stores = ['tekton'],
  config: data = {},
  taskRuns = [],
}: VerifyInput): Promise<VerifiedRun> {
  const [run, { config, warnings }] = [parseRun(object), parseConfig(data)];
  const options = { keys: await readKeys(keys), expected, stores, config, strict: true };
  const { verification } = await verifyStores({ run, taskRuns }, options);
  return { ...verification, problems: configProblems(warnings) };
}
