import type { Run } from '../model/run.ts';
import { type ArtifactKind, artifactKindOf } from '../model/artifact.ts';
import type { Config, FormatName, SignerName, StoreName } from './keys.ts';

/** Every kind of artifact. */
export const artifactKinds: readonly ArtifactKind[] = ['taskrun', 'pipelinerun', 'oci'];

/** How artifacts of one kind are signed and stored, read from the configuration once. */
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

/** The plan that the configuration gives for artifacts of this kind. */
export function planFor(config: Config, kind: ArtifactKind): Plan {
  const format = config[`artifacts.${kind}.format` as const];
  const signer = config[`artifacts.${kind}.signer` as const];
  const stores = config[`artifacts.${kind}.storage` as const];
  const empty = stores.length === 0 ? `artifacts.${kind}.storage is empty` : undefined;
  return { format, signer, stores, off: signer === 'none' ? `artifacts.${kind}.signer is none` : empty };
}

/** The services that confirm the signatures of a run's artifacts and certify the key (transparency.md). */
export interface Proofs {
  /** The log that they go to; undefined where they go to none. */
  readonly log: string | undefined;
  /** The timestamp server. */
  readonly timestamps: string | undefined;
  /** Fulcio, and where the identity comes from that it certifies; undefined for a key of one's own. */
  readonly certified: { readonly by: string; readonly provider: string } | undefined;
}

/** The annotation of runs whose signatures go to the log where `transparency.enabled` is `manual`. */
const uploadAnnotation = 'chains.tekton.dev/transparency-upload';

/** The services that confirm what this signer signs of this run. */
export function proofsFor(config: Config, signer: SignerName, run: Pick<Run, 'annotations'>): Proofs {
  const log = config['transparency.enabled'];
  const isLogged = log === 'true' || (log === 'manual' && run.annotations[uploadAnnotation] === 'true');
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

/** Whether artifacts of some kind are stored in registries, so that signing a run may wait for those of its images. */
export function usesRegistries(config: Config): boolean {
  return artifactKinds.some((kind) => planFor(config, kind).stores.includes('oci'));
}

/** Which results are read besides the run's own: those of steps in one format only, those of TaskRuns with deep inspection. */
export function depthFor(
  config: Config,
  run: Run,
): { readonly stepResults: boolean; readonly childResults: boolean } {
  return {
    stepResults: planFor(config, artifactKindOf(run.kind)).format === 'slsa/v2alpha4',
    childResults: config['artifacts.pipelinerun.enable-deep-inspection'],
  };
}
