import { caught, ChainsError } from './errors.ts';
import type { Config, FormatName, SignerName, StoreName } from './config/keys.ts';
import { type Plan, planFor } from './config/plan.ts';
import type { Format } from './format/format.ts';
import { loadFormat } from './format/index.ts';
import type { ArtifactKind } from './model/artifact.ts';
import type { ClusterAccess } from './model/cluster-access.ts';
import type { SigstoreListener } from './model/sigstore.ts';
import { once } from './concurrency.ts';
import { type Secrets, type Signer, signers } from './sign/index.ts';
import type { Trust } from './sigstore/trust.ts';
import { type Store, stores } from './store/index.ts';
import type { Witness } from './witness/index.ts';

/** What back ends are opened with. */
export interface BackendOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  /** What back ends may read from the cluster; left out where there is none. */
  readonly access?: ClusterAccess;
  /** Receives the outcome of each request to a service of Sigstore. */
  readonly onSigstore?: SigstoreListener;
}

/** Whether a back end that the configuration names can be opened. */
export interface BackendState {
  /** The ConfigMap's key: `artifacts.taskrun.signer`. */
  readonly key: string;
  readonly backend: string;
  readonly error: ChainsError | undefined;
  /** What people should know although it opened: whose answers are not verified. */
  readonly notices?: readonly string[];
}

/** The back ends of one configuration and one set of secrets. Each is opened once, when it is first used. */
export interface Backends {
  readonly format: (name: FormatName) => Promise<Format>;
  /** @throws ChainsError CONFIG_INVALID for the signer `none` */
  readonly signer: (name: SignerName) => Promise<Signer>;
  readonly store: (name: StoreName) => Promise<Store>;
  /** Whether a transparency log or timestamp server confirms signatures before they are stored. */
  readonly isWitnessed: boolean;
  readonly witness: () => Promise<Witness>;
  /** Opens every back end that artifacts of these kinds use. */
  readonly check: (kinds: readonly ArtifactKind[]) => Promise<readonly BackendState[]>;
  readonly close: () => Promise<void>;
}

/** The back ends of a configuration; none is open yet. */
export function openBackends({
  config,
  secrets,
  access = {},
  onSigstore = () => {},
}: BackendOptions): Backends {
  const format = once(loadFormat);
  const store = once(async (name: StoreName) => (await stores[name]())(config, { access }));
  const signer = once(async (name: SignerName) => {
    if (name === 'none') throw new ChainsError('CONFIG_INVALID', 'the signer none signs nothing');
    return (await signers[name]())(config, secrets, { trust, access, onSigstore });
  });
  const trust = once<void, Trust>(async () =>
    (await import('./sign/trust.ts')).openTrustOf(config, secrets, onSigstore),
  );
  const witness = once<void, Witness>(async () => {
    const { openWitness } = await import('./witness/index.ts');
    return openWitness(config, await trust(), onSigstore);
  });
  const isWitnessed =
    config['transparency.enabled'] !== 'false' || config['transparency.tsa.url'] !== undefined;

  /** The signer of a plan. @throws ChainsError CONFIG_INVALID when the log that all signatures go to doesn't accept its key. */
  async function loggableSigner(kind: ArtifactKind, plan: Plan): Promise<Signer> {
    const opened = await signer(plan.signer);
    const key = config['transparency.enabled'] === 'true' ? await opened.key?.() : undefined;
    if (key === undefined) return opened;
    const { whyNotLogged } = await import('./witness/fitness.ts');
    const isBare = plan.format === 'tekton' || plan.format === 'simplesigning';
    const why = whyNotLogged(config['transparency.api'], key, isBare);
    if (why === undefined) return opened;
    throw new ChainsError('CONFIG_INVALID', `artifacts.${kind}: ${why}`);
  }

  return {
    format,
    signer,
    store,
    isWitnessed,
    witness,
    async check(kinds) {
      const states = await Promise.all([
        ...kinds
          .map((kind) => ({ kind, plan: planFor(config, kind) }))
          .filter(({ plan }) => plan.off === undefined)
          .flatMap(({ kind, plan }) => [
            stateOf(`artifacts.${kind}.format`, plan.format, () => format(plan.format)),
            stateOf(`artifacts.${kind}.signer`, plan.signer, () => loggableSigner(kind, plan)),
            ...plan.stores.map((name) => stateOf(`artifacts.${kind}.storage`, name, () => store(name))),
          ]),
        ...(isWitnessed ? [stateOf('transparency.enabled', config['transparency.enabled'], witness)] : []),
      ]);
      if (trust.opened().length === 0) return states;
      const trusting = await stateOf('signers.x509.tuf.mirror.url', 'trusted root', trust);
      const notices = trusting.error === undefined ? [...(await trust()).notices] : [];
      return [...states, { ...trusting, notices }];
    },
    async close() {
      const opened: Promise<Signer | Store | Witness | Trust>[] = [
        ...signer.opened(),
        ...store.opened(),
        ...witness.opened(),
        ...trust.opened(),
      ];
      await Promise.allSettled(opened.map(async (backend) => (await backend).close?.()));
    },
  };
}

async function stateOf(key: string, backend: string, open: () => Promise<unknown>): Promise<BackendState> {
  const opened = await caught(open);
  return { key, backend, error: opened instanceof ChainsError ? opened : undefined };
}
