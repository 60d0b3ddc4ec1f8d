import type { ArtifactKind } from '../model/artifact.ts';
import type { Config, FormatName, SignerName, StoreName } from './keys.ts';

/** What is done with artifacts of one kind: decided once, so that nothing asks the configuration mid-flow. */
export interface Plan {
  readonly format: FormatName;
  readonly signer: SignerName;
  readonly stores: readonly StoreName[];
  /** Which key says that nothing is signed, and how; undefined when something is. */
  readonly off: string | undefined;
}

/** The plan for artifacts of this kind. An empty storage or the signer `none` turns them off. */
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

function whyOff(kind: ArtifactKind, signer: SignerName, stores: readonly StoreName[]): string | undefined {
  if (signer === 'none') return `artifacts.${kind}.signer is none`;
  return stores.length === 0 ? `artifacts.${kind}.storage is empty` : undefined;
}
