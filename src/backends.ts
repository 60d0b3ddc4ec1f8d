import { caught, ChainsError } from './errors.ts';
import type { Config, FormatName, SignerName, StoreName } from './config/keys.ts';
import { planFor } from './config/plan.ts';
import { type Format, loadFormat } from './format/index.ts';
import type { ArtifactKind } from './model/artifact.ts';
import type { StoreAccess } from './model/store-access.ts';
import { once } from './concurrency.ts';
import { type Secrets, type Signer, signers } from './sign/index.ts';
import { type Store, stores } from './store/index.ts';
import { openWitness, type Witness } from './witness/index.ts';

/** What back ends are opened with. */
export interface BackendOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  /** What stores may ask of the cluster; left out where there is none. */
  readonly access?: StoreAccess;
}

/** A back end that the configuration names, and why it can't be opened, if so. */
export interface BackendState {
  /** The ConfigMap's key: `artifacts.taskrun.signer`. */
  readonly key: string;
  readonly backend: string;
  readonly error: ChainsError | undefined;
}

/** The back ends of one configuration and one set of secrets. Each opens once, when it is first used. */
export interface Backends {
  readonly format: (name: FormatName) => Promise<Format>;
  /** @throws ChainsError CONFIG_INVALID for the signer `none` */
  readonly signer: (name: SignerName) => Promise<Signer>;
  readonly store: (name: StoreName) => Promise<Store>;
  /** Undefined where no witness is asked for. */
  readonly witness: () => Promise<Witness | undefined>;
  /** Opens every back end that artifacts of these kinds use. */
  readonly check: (kinds: readonly ArtifactKind[]) => Promise<readonly BackendState[]>;
  readonly close: () => Promise<void>;
}

/** The back ends that a configuration may name; none is open yet. */
export function openBackends({ config, secrets, access = {} }: BackendOptions): Backends {
  const format = once(loadFormat);
  const store = once(async (name: StoreName) => (await stores[name]())(config, access));
  const signer = once(async (name: SignerName) => {
    if (name === 'none') throw new ChainsError('CONFIG_INVALID', 'the signer none signs nothing');
    return (await signers[name]())(config, secrets);
  });
  const transparency = once(() => openWitness(config));
  const witness = () => transparency('witness');

  return {
    format,
    signer,
    store,
    witness,
    check: (kinds) =>
      Promise.all([
        ...kinds
          .map((kind) => ({ kind, plan: planFor(config, kind) }))
          .filter(({ plan }) => plan.off === undefined)
          .flatMap(({ kind, plan }) => [
            stateOf(`artifacts.${kind}.format`, plan.format, () => format(plan.format)),
            stateOf(`artifacts.${kind}.signer`, plan.signer, () => signer(plan.signer)),
            ...plan.stores.map((name) => stateOf(`artifacts.${kind}.storage`, name, () => store(name))),
          ]),
        stateOf('transparency.enabled', config['transparency.enabled'], witness),
      ]),
    async close() {
      const opened: (Promise<Signer> | Promise<Store>)[] = [...signer.opened(), ...store.opened()];
      await Promise.allSettled(opened.map(async (backend) => (await backend).close?.()));
    },
  };
}

async function stateOf(key: string, backend: string, open: () => Promise<unknown>): Promise<BackendState> {
  const opened = await caught(open);
  return { key, backend, error: opened instanceof ChainsError ? opened : undefined };
}
