import { parseConfig } from '../config/parse.ts';
import { ChainsError } from '../model/errors.ts';
import { parseRun } from '../model/run.ts';
import { type Draft, openPipeline, type Pipeline } from '../pipeline.ts';
import { readSecrets } from '../sign/secrets.ts';
import {
  childrenOf,
  type ExplainedArtifact,
  type ExplainInput,
  type Explanation,
  explainDraft,
  introduce,
} from './explain.ts';

/** A run to be signed, and where the key is. */
export interface SignInput extends ExplainInput {
  /** A folder with the files of the Secret `signing-secrets`. */
  readonly signingSecrets: string;
}

/** An artifact with its signature; the four members are null where it is turned off or failed. */
export interface SignedExplainedArtifact extends ExplainedArtifact {
  /** Base64 of what is stored. */
  readonly signature: string | null;
  /** Base64 of what is signed. */
  readonly payloadBytes: string | null;
  /** PEM. */
  readonly certificate: string | null;
  /** PEM. */
  readonly chain: string | null;
}

/** An explanation with signatures (behaviour.md, “The command”: the JSON of `sign`). */
export interface SignedExplanation extends Explanation {
  readonly artifacts: readonly SignedExplainedArtifact[];
}

/**
 * Signs a run, needing no cluster and storing nothing. An artifact that fails says so in its `error`.
 * @throws ChainsError CONFIG_INVALID, or RUN_UNREADABLE when it is no run.
 */
export async function sign({
  run: object,
  taskRuns,
  config: data = {},
  signingSecrets,
}: SignInput): Promise<SignedExplanation> {
  const { config } = parseConfig(data);
  const run = parseRun(object);
  const pipeline = openPipeline({ config, secrets: await readSecrets(signingSecrets) });
  try {
    const children = childrenOf(taskRuns);
    const { drafts, problems } = await pipeline.draft(run, children);
    const artifacts = await Promise.all(drafts.map((draft) => signDraft(draft, pipeline)));
    return { ...introduce(run, children, config), artifacts, problems };
  } finally {
    await pipeline.close();
  }
}

async function signDraft(draft: Draft, pipeline: Pipeline): Promise<SignedExplainedArtifact> {
  const explained = explainDraft(draft);
  const nothing = { signature: null, payloadBytes: null, certificate: null, chain: null };
  if (draft.plan.off !== undefined || draft.payload instanceof ChainsError)
    return { ...explained, ...nothing };
  const result = await pipeline.signDraft(draft);
  if ('stage' in result) return { ...explained, ...nothing, error: result.error.message };
  const { payload, signature } = result;
  return {
    ...explained,
    signature: base64(signature.bytes),
    payloadBytes: base64(payload.bytes),
    certificate: signature.certificate ?? null,
    chain: signature.chain ?? null,
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
