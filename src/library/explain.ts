import { parseConfig } from '../config/parse.ts';
import type { Config } from '../config/keys.ts';
import { unsignedAmong, waitingFor } from '../controller/children.ts';
import { circumstancesOf, type Decision, decide } from '../controller/policy.ts';
import type { Problem } from '../model/problem.ts';
import { ChainsError } from '../model/errors.ts';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../model/json.ts';
import { parseRun, type Run, runName } from '../model/run.ts';
import { type Draft, openPipeline } from '../pipeline.ts';

/** A run to be explained. */
export interface ExplainInput {
  /** A TaskRun or PipelineRun, as `kubectl get -o json` gives it. */
  readonly run: unknown;
  /** The TaskRuns of a PipelineRun, in order. */
  readonly taskRuns?: readonly unknown[];
  /** The `data` of a ConfigMap `chains-config`; without it all defaults. */
  readonly config?: Readonly<Record<string, string>>;
}

/** What would be signed of one artifact. */
export interface ExplainedArtifact {
  readonly kind: string;
  readonly name: string;
  readonly key: string;
  readonly fullKey: string;
  readonly format: string;
  readonly signer: string;
  readonly storage: readonly string[];
  /** The payload as JSON; null when there is an error. */
  readonly payload: Json;
  readonly error: string | null;
}

/** What a run is, what would be done with it, and why (behaviour.md, “The command”: the JSON of `explain`). */
export interface Explanation {
  readonly run: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
  readonly decision: { readonly action: 'sign' | 'skip' | 'wait'; readonly reason: string };
  readonly artifacts: readonly ExplainedArtifact[];
  readonly problems: readonly Problem[];
}

/**
 * Says what would be signed of a run, whether it is time for it or not. Nothing is signed or written.
 * @throws ChainsError CONFIG_INVALID, or RUN_UNREADABLE when it is no run.
 */
export async function explain({
  run: object,
  taskRuns,
  config: data = {},
}: ExplainInput): Promise<Explanation> {
  const { config } = parseConfig(data);
  const run = parseRun(object);
  const children = childrenOf(taskRuns);
  const pipeline = openPipeline({ config, secrets: { folder: '', files: new Map() } });
  const { drafts, problems } = await pipeline.draft(run, children);
  return { ...introduce(run, children, config), artifacts: drafts.map(explainDraft), problems };
}

/** The TaskRuns of a PipelineRun as they were given. @throws ChainsError RUN_UNREADABLE for one that is no object. */
export function childrenOf(taskRuns: readonly unknown[] = []): readonly JsonObject[] {
  return taskRuns.map((one, index) => {
    if (isJsonObject(one)) return one;
    throw new ChainsError('RUN_UNREADABLE', `taskRuns[${index}] is no object`);
  });
}

/** The first half of an explanation: which run it is, and what would be done with it now. */
export function introduce(
  run: Run,
  taskRuns: readonly JsonObject[],
  config: Config,
): Pick<Explanation, 'run' | 'decision'> {
  const { apiVersion, kind, namespace, name, uid } = run;
  const circumstances = circumstancesOf(config, new Date());
  const decision = decide(run, circumstances);
  const unsigned = run.kind === 'PipelineRun' ? unsignedAmong(taskRuns, circumstances) : [];
  const waits = decision.action === 'sign' && unsigned.length > 0;
  return {
    run: { apiVersion, kind, namespace, name, uid },
    decision: waits
      ? { action: 'wait', reason: waitingFor(unsigned) }
      : { action: seenFromOutside[decision.action], reason: decision.reason },
  };
}

/** Finalizers are the controller's own concern. */
const seenFromOutside: Readonly<Record<Decision['action'], 'sign' | 'skip' | 'wait'>> = {
  sign: 'sign',
  skip: 'skip',
  release: 'skip',
  wait: 'wait',
  hold: 'wait',
};

/** A draft as it is shown. */
export function explainDraft({ artifact, plan, payload }: Draft): ExplainedArtifact {
  const failed = payload instanceof ChainsError;
  return {
    kind: artifact.kind,
    name: artifact.kind === 'oci' ? artifact.fullKey : runName(artifact.run),
    key: artifact.key,
    fullKey: artifact.fullKey,
    format: plan.format,
    signer: plan.signer,
    storage: plan.stores,
    payload: failed ? null : parseJson(Buffer.from(payload.bytes).toString('utf8')),
    error: failed ? payload.message : null,
  };
}
