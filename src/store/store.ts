import type { Config } from '../config/keys.ts';
import type { SignedArtifact } from '../model/signature.ts';
import type { ClusterAccess } from '../model/cluster-access.ts';
import type { StoreReader } from '../model/stored.ts';

/** A place where payloads and signatures are kept. */
export interface Store {
  /** Stores one artifact; resolves to the annotations that the run is to be marked with, none where the store keeps the entry itself. */
  store(entry: SignedArtifact, signal?: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Where an entry that was stored is found, as people name such places; none where there was nothing to store it at. */
  places(entry: SignedArtifact): readonly string[];
  close?(): Promise<void>;
}

/** Opens a store, once for each configuration. Without `access` it does with what this process has of its own. */
export type OpenStore = (config: Config, access?: ClusterAccess) => Promise<Store>;

/** Opens a store for reading. @throws ChainsError CONFIG_INVALID for a setting that is missing */
export type OpenReader = (config: Config) => Promise<StoreReader>;
