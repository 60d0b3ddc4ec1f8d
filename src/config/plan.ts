import type { Run } from '../model/run.ts';
import { type ArtifactKind, artifactKindOf } from '../model/artifact.ts';
import type { Config, FormatName, SignerName, StoreName } from './keys.ts';

/** What is done with artifacts of one kind: decided once, so that nothing asks the configuration mid-flow. */
export interface Plan {
  readonly format: FormatName;
  readonly signer: SignerName;
  readonly stores: readonly StoreName[];
  /** True where the signature goes into a Sigstore bundle, which holds in-toto statements and no other payload. */
  readonly bundled?: boolean;
  /** Which key says that nothing is signed, and how; undefined when something is. */
  readonly off: string | undefined;
}

/**
 * The plans for artifacts of this kind: one, unless the store `oci` keeps images' signatures in Sigstore bundles and others
 * keep them too. What a bundle holds is another payload, signed by itself.
 */
export function plansFor(config: Config, kind: ArtifactKind): readonly Plan[] {
  const plan = planFor(config, kind);
  const bundles =
    plan.format === 'simplesigning' && config['storage.oci.encoding-format'] === 'sigstore-bundle';
  if (!bundles || !plan.stores.includes('oci')) return [plan];
  const others = plan.stores.filter((name) => name !== 'oci');
  return [
    ...(others.length === 0 ? [] : [{ ...plan, stores: others }]),
    { ...plan, stores: ['oci'], bundled: true },
  ];
}

/** The plan as the configuration says it. An empty storage or the signer `none` turns them off. */
export function planFor(config: Config, kind: ArtifactKind): Plan {
  const signer = config[`artifacts.${kind}.signer` as const];
  const stores = config[`artifacts.${kind}.storage` as const];
  return {
    format: config[`artifacts.${kind}.format` as const],
    signer,
    stores,
    off: whyOff(kind, signer, stores),
  };
}

/** By whom signatures of a run's artifacts are confirmed, and who certifies the key (transparency.md). */
export interface Proofs {
  /** The log that they go to; undefined where they go to none. */
  readonly log: string | undefined;
  /** The timestamp server. */
  readonly timestamps: string | undefined;
  /** Fulcio, and where the identity comes from that it certifies; undefined for a key of one's own. */
  readonly certified: { readonly by: string; readonly provider: string } | undefined;
}

/** The annotation of a run that has its signatures logged where `transparency.enabled` is `manual`. */
const uploadWish = 'chains.tekton.dev/transparency-upload';

/** By whom signatures by this signer, of this run, are confirmed. */
export function proofsFor(config: Config, signer: SignerName, run: Pick<Run, 'annotations'>): Proofs {
  const asked = config['transparency.enabled'];
  const isLogged = asked === 'true' || (asked === 'manual' && run.annotations[uploadWish] === 'true');
  const isKeyless = signer === 'x509' && config['signers.x509.fulcio.enabled'];
  const file = config['signers.x509.identity.token.file'];
  const provider =
    config['signers.x509.fulcio.provider'] ??
    (file === undefined ? 'the first that works' : 'filesystem-custom-path');
  return {
    log: isLogged ? config['transparency.url'] : undefined,
    timestamps: config['transparency.tsa.url'],
    certified: isKeyless ? { by: config['signers.x509.fulcio.address'], provider } : undefined,
  };
}

/** Whether artifacts of some kind are stored in registries, so that a run's images say whose work it waits for. */
export function usesRegistries(config: Config): boolean {
  const kinds: readonly ArtifactKind[] = ['taskrun', 'pipelinerun', 'oci'];
  return kinds.some((kind) => planFor(config, kind).stores.includes('oci'));
}

function whyOff(kind: ArtifactKind, signer: SignerName, stores: readonly StoreName[]): string | undefined {
  if (signer === 'none') return `artifacts.${kind}.signer is none`;
  return stores.length === 0 ? `artifacts.${kind}.storage is empty` : undefined;
}

/** Whose results count besides the run's own: those of steps in one format only, those of TaskRuns with deep inspection. */
export function depthFor(
  config: Config,
  run: Run,
): { readonly stepResults: boolean; readonly childResults: boolean } {
  return {
    stepResults: planFor(config, artifactKindOf(run.kind)).format === 'slsa/v2alpha4',
    childResults: config['artifacts.pipelinerun.enable-deep-inspection'],
  };
}
