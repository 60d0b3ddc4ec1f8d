import type { Config } from '../config/keys.ts';
import type { JsonObject } from '../json.ts';
import type { Failure } from '../model/outcome.ts';
import { bundleOf } from '../sigstore/bundle.ts';
import type { SignedArtifact } from '../model/signature.ts';
import type { Draft } from '../drafts.ts';
import { logMark } from '../store/places.ts';
import { keepOnRun } from '../store/tekton.ts';
import { readSecrets } from '../sign/secrets.ts';
import { type Examination, isKeptOnRun, noRoom, type RunInput, withPipeline } from './examine.ts';
import { type ExplainedArtifact, type Explanation, explainDraft, explanationOf } from './explain.ts';

/** A run to be signed, and where the key is. */
export interface SignInput extends RunInput {
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
  /** A Sigstore bundle, where there is a certificate or something was confirmed. */
  readonly bundle?: JsonObject;
}

/** An explanation with signatures (behaviour.md, "The command": the JSON of `sign`). */
export interface SignedExplanation extends Explanation {
  readonly artifacts: readonly SignedExplainedArtifact[];
}

/** What became of one draft: undefined where it is turned off. */
export interface SignedDraft {
  readonly draft: Draft;
  readonly result: SignedArtifact | Failure | undefined;
}

/**
 * Signs a run, needing no cluster and storing nothing. An artifact that fails says so in its `error`.
 * @example
 * const { artifacts } = await sign({ run, signingSecrets: '/etc/signing-secrets' });
 * for (const { fullKey, signature, error } of artifacts) console.log(fullKey, signature ?? error);
 * @throws ChainsError CONFIG_INVALID, or RUN_UNREADABLE when it is not a run.
 */
export async function sign(input: SignInput): Promise<SignedExplanation> {
  return signedExplanationOf(await signRun(input));
}

/** A run with what was signed of it. */
export interface SignedRun {
  readonly examination: Examination;
  readonly signed: readonly SignedDraft[];
  /** What is kept on the run. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The artifacts that the run has no room for. */
  readonly tooLarge: readonly Failure[];
}

/**
 * Signs a run, and gives what stores would be given.
 * @param isKept which artifacts are to be kept in the run's annotations
 * @throws ChainsError CONFIG_INVALID, RUN_UNREADABLE
 */
export async function signRun(
  input: SignInput,
  isKept: (plan: Draft['plan']) => boolean = isKeptOnRun,
): Promise<SignedRun> {
  return withPipeline(input, await readSecrets(input.signingSecrets), async (pipeline, examination) => {
    const signed = await Promise.all(
      examination.drafts.map(
        async (draft): Promise<SignedDraft> => ({
          draft,
          result: draft.plan.off === undefined ? await pipeline.signDraft(draft) : undefined,
        }),
      ),
    );
    const kept = entriesOf(signed.filter(({ draft }) => isKept(draft.plan)));
    const { annotations, tooLarge } = keepOnRun(examination.run, kept);
    const marks = logMark(examination.config, entriesOf(signed));
    return { examination, signed, tooLarge, annotations: { ...annotations, ...marks } };
  });
}

/** What was signed, without what is turned off or failed. */
export function entriesOf(signed: readonly SignedDraft[]): readonly SignedArtifact[] {
  return signed.flatMap(({ result }) => (result === undefined || 'stage' in result ? [] : [result]));
}

/** What was signed, as it is shown. */
export function signedExplanationOf({ examination, signed, tooLarge }: SignedRun): SignedExplanation {
  const { problems, ...explanation } = explanationOf(examination);
  return {
    ...explanation,
    artifacts: signed.map((one) => explainSigned(one, examination.config)),
    problems: [...problems, ...noRoom(tooLarge)],
  };
}

function explainSigned({ draft, result }: SignedDraft, config: Config): SignedExplainedArtifact {
  const explained = explainDraft(draft, config);
  const nothing = { signature: null, payloadBytes: null, certificate: null, chain: null };
  if (result === undefined) return { ...explained, ...nothing };
  if ('stage' in result) return { ...explained, ...nothing, error: result.error.message };
  const { payload, signature, transparency } = result;
  const hasMore = signature.certificate !== undefined || transparency !== undefined;
  return {
    ...explained,
    signature: base64(signature.bytes),
    payloadBytes: base64(payload.bytes),
    certificate: signature.certificate ?? null,
    chain: signature.chain ?? null,
    ...(hasMore ? { bundle: bundleOf(result) } : {}),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
