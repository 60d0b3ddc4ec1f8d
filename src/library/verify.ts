import { parseRun } from '../model/run.ts';
import { type Verification, verifyRun } from '../verify/index.ts';

export type { Check, Verification } from '../verify/index.ts';

/** A signed run, and the keys that may have signed it. */
export interface VerifyInput {
  /** A TaskRun or PipelineRun with its annotations, as `kubectl get -o json` gives it. */
  readonly run: unknown;
  /** PEM public keys or certificates; any one of them will do. */
  readonly keys: readonly string[];
}

/**
 * Verifies what the store `tekton` wrote on a run: signatures, and that the payloads speak of this very run.
 * @throws ChainsError KEY_INVALID when a key can't be read, RUN_UNREADABLE when it is no run.
 */
export async function verify({ run, keys }: VerifyInput): Promise<Verification> {
  return verifyRun({ run: parseRun(run), keys });
}
