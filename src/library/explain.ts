import type { Config } from '../config/keys.ts';
import { proofsFor } from '../config/plan.ts';
import { storageKeyOf } from '../model/artifact.ts';
import { ChainsError } from '../errors.ts';
import { type Json, parseJson } from '../json.ts';
import type { Problem } from '../model/problem.ts';
import { type Run, runName } from '../model/run.ts';
import type { Draft } from '../drafts.ts';
import { type Examination, examine, type Outlook, type RunInput } from './examine.ts';

/** A run to be explained. */
export type ExplainInput = RunInput;

/** What would be signed of one artifact. */
export interface ExplainedArtifact {
  readonly kind: string;
  readonly name: string;
  readonly key: string;
  /** The key that its entry is stored under: `key`, with a suffix if another image of the run has the same. */
  readonly storageKey: string;
  readonly fullKey: string;
  readonly format: string;
  readonly signer: string;
  readonly storage: readonly string[];
  /** The transparency log that the signature is uploaded to, if any. */
  readonly log?: string;
  /** The timestamp server, if any. */
  readonly timestamps?: string;
  /** Who certifies a short-lived key, and where the identity comes from; left out for a long-lived key. */
  readonly certified?: { readonly by: string; readonly provider: string };
  /** The payload as JSON; null when there is an error. */
  readonly payload: Json;
  readonly error: string | null;
}

/** What a run is, what would be done with it, and why (behaviour.md, "The command": the JSON of `explain`). */
export interface Explanation {
  readonly run: Pick<Run, 'apiVersion' | 'kind' | 'namespace' | 'name' | 'uid'>;
  readonly decision: Outlook;
  readonly artifacts: readonly ExplainedArtifact[];
  readonly problems: readonly Problem[];
}

/**
 * Says what would be signed of a run, even if it is not time to sign it. Nothing is signed or written.
 * @example
 * const { decision, artifacts, problems } = await explain({ run, config: { 'artifacts.taskrun.format': 'slsa/v1' } });
 * console.log(decision.action, artifacts.map(({ fullKey }) => fullKey), problems);
 * @throws ChainsError CONFIG_INVALID, or RUN_UNREADABLE when it is not a run.
 */
export async function explain(input: ExplainInput): Promise<Explanation> {
  return explanationOf(await examine(input));
}

/** An examination as it is shown. */
export function explanationOf(examination: Examination): Explanation {
  const { run, outlook, drafts, problems, warnings } = examination;
  const { apiVersion, kind, namespace, name, uid } = run;
  return {
    run: { apiVersion, kind, namespace, name, uid },
    decision: outlook,
    artifacts: drafts.map((draft) => explainDraft(draft, examination.config)),
    problems: [...configProblems(warnings), ...problems],
  };
}

/** Warnings about a configuration, as problems. */
export function configProblems(warnings: readonly string[]): readonly Problem[] {
  return warnings.map((message) => ({ at: 'config', message }));
}

/** A draft as it is shown. */
export function explainDraft({ artifact, plan, payload }: Draft, config: Config): ExplainedArtifact {
  const failed = payload instanceof ChainsError;
  const { log, timestamps, certified } = proofsFor(config, plan.signer, artifact.run);
  return {
    kind: artifact.kind,
    name: artifact.kind === 'oci' ? artifact.fullKey : runName(artifact.run),
    key: artifact.key,
    storageKey: storageKeyOf(artifact),
    fullKey: artifact.fullKey,
    format: plan.format,
    signer: plan.signer,
    storage: plan.stores,
    ...(log === undefined ? {} : { log }),
    ...(timestamps === undefined ? {} : { timestamps }),
    ...(certified === undefined ? {} : { certified }),
    payload: failed ? null : parseJson(Buffer.from(payload.bytes).toString('utf8')),
    error: failed ? payload.message : null,
  };
}
