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

/** An artifact with its signature; the four members are null if signing is turned off or failed. */
interface SignedExplainedArtifact extends ExplainedArtifact {
  /** Base64 of what is stored. */
  readonly signature: string | null;
  /** Base64 of what is signed. */
  readonly payloadBytes: string | null;
  /** PEM. */
  readonly certificate: string | null;
  /** PEM. */
  readonly chain: string | null;
  /** A Sigstore bundle, if there is a certificate, a log entry or a timestamp. */
  readonly bundle?: JsonObject;
}

/** An explanation with signatures (behaviour.md, "The command": the JSON of `sign`). */
export interface SignedExplanation extends Explanation {
  readonly artifacts: readonly SignedExplainedArtifact[];
}

/** The result of signing a draft: undefined if that is turned off. */
interface SignedDraft {
  readonly draft: Draft;
  readonly result: SignedArtifact | Failure | undefined;
}

/**
 * Signs a run without a cluster, and stores nothing. An artifact that fails has an `error`.
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
  /** What the run's annotations would hold. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The artifacts that do not fit in the run's annotations. */
  readonly tooLarge: readonly Failure[];
}

/**
 * Signs a run, and returns what stores would get.
 * @param isKept which artifacts go into the run's annotations
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

/** What was signed, without what was turned off or failed. */
export function entriesOf(signed: readonly SignedDraft[]): readonly SignedArtifact[] {
  return signed.flatMap(({ result }) => (result === undefined || 'stage' in result ? [] : [result]));
}

/** What was signed, as `sign` returns it. */
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
  const unsigned = { ...explained, signature: null, payloadBytes: null, certificate: null, chain: null };
  if (result === undefined) return unsigned;
  if ('stage' in result) return { ...unsigned, error: result.error.message };
  const { payload, signature, transparency } = result;
  const hasMore = signature.certificate !== undefined || transparency !== undefined;
  return {
    ...explained,
    signature: Buffer.from(signature.bytes).toString('base64'),
    payloadBytes: Buffer.from(payload.bytes).toString('base64'),
    certificate: signature.certificate ?? null,
    chain: signature.chain ?? null,
    ...(hasMore ? { bundle: bundleOf(result) } : {}),
  };
}
