import { parseRun } from '../model/run.ts';
import { type Expectations, readKeys, type Verification, verifyRun } from '../verify/index.ts';

export type { Check, Expectations, Verification } from '../verify/index.ts';

/** A signed run, the keys that may have signed it, and what its provenance must say. */
export interface VerifyInput {
  /** A TaskRun or PipelineRun with its annotations, as `kubectl get -o json` gives it. */
  readonly run: unknown;
  /** Public keys or certificates in PEM, or armored PGP public keys; any one of them will do. */
  readonly keys: readonly string[];
  readonly expected?: Expectations;
}

/**
 * Verifies what the store `tekton` wrote on a run: signatures, that the payloads speak of this very run, and what is expected
 * of its provenance.
 * @throws ChainsError KEY_INVALID when a key can't be read, RUN_UNREADABLE when it is no run.
 */
export async function verify({ run, keys, expected = {} }: VerifyInput): Promise<Verification> {
  return verifyRun(parseRun(run), { keys: await readKeys(keys), expected });
}
