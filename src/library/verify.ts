import type { StoreName } from '../config/keys.ts';
import { parseConfig } from '../config/parse.ts';
import type { JsonObject } from '../json.ts';
import type { Problem } from '../model/problem.ts';
import { parseRun } from '../model/run.ts';
import type { IdentityPolicy } from '../sigstore/identity-policy.ts';
import type { TrustedRoot } from '../sigstore/trusted-root.ts';
import type { Verification } from '../verify/checks.ts';
import type { Expectations } from '../verify/provenance.ts';
import { readKeys } from '../verify/public-key.ts';
import { verifyStores } from '../verify/stores.ts';
import { configProblems } from './explain.ts';

export type { Verification } from '../verify/checks.ts';
export type { Check } from '../verify/finding.ts';
export type { Expectations } from '../verify/provenance.ts';

/** What was verified, and warnings about the configuration. */
export interface VerifiedRun extends Verification {
  readonly problems: readonly Problem[];
}

/** A signed run, the keys that may have signed it, and what its provenance must say. */
export interface VerifyInput {
  /** A TaskRun or PipelineRun with its annotations, as `kubectl get -o json` gives it. */
  readonly run: unknown;
  /** Public keys or certificates in PEM, or armored PGP public keys; any one of them will do. Left out with an `identity`. */
  readonly keys?: readonly string[];
  /** Whom the certificate of a keyless signature must name: one of each pair, as for `cosign verify`. */
  readonly identity?: IdentityPolicy;
  /** The `trusted_root.json` that certificates, logs and timestamps are verified with; by default that of the public Sigstore. */
  readonly trustedRoot?: string;
  /** Whether a transparency log must have the signature. */
  readonly requireLog?: boolean;
  /** Whether a timestamp of it must be there. */
  readonly requireTimestamp?: boolean;
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
 * @example
 * await verify({ run, identity: { certificateIdentity: 'https://…', certificateOidcIssuer: 'https://…' }, requireLog: true });
 * @throws ChainsError KEY_INVALID when a key can't be read, RUN_UNREADABLE when it is not a run, CONFIG_INVALID, and STORE_…
 * when a store can't be read.
 */
export async function verify({
  run: object,
  keys = [],
  identity,
  trustedRoot,
  requireLog = false,
  requireTimestamp = false,
  expected = {},
  stores = ['tekton'],
  config: data = {},
  taskRuns = [],
}: VerifyInput): Promise<VerifiedRun> {
  const [run, { config, warnings }] = [parseRun(object), parseConfig(data)];
  const evidence = {
    root: () => rootOf(trustedRoot),
    isRootGiven: trustedRoot !== undefined,
    identity: identity && (await import('../sigstore/identity-policy.ts')).identityJudge(identity),
    ...{ requireLog, requireTimestamp, mayAsk: false },
  };
  const verifying = identity === undefined ? await readKeys(keys) : [];
  const options = { keys: verifying, expected, evidence, stores, config, strict: true };
  const { verification } = await verifyStores({ run, taskRuns }, options);
  return { ...verification, problems: configProblems(warnings) };
}

async function rootOf(text: string | undefined): Promise<TrustedRoot> {
  if (text === undefined) return (await import('../sigstore/trust.ts')).shippedTrustedRoot();
  return (await import('../sigstore/trusted-root.ts')).parseTrustedRoot(text, 'the trusted root');
}
