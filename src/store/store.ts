import type { Config } from '../config/keys.ts';
import type { SignedArtifact } from '../model/signature.ts';
import type { ClusterAccess } from '../model/cluster-access.ts';
import type { StoreReader } from '../model/stored.ts';

/** A place where payloads and signatures are kept. */
export interface Store {
  /** Stores one artifact. @returns the annotations to put on the run; none where the store keeps the entry itself */
  store(entry: SignedArtifact, signal?: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Where an entry is found once it is stored, for people; empty where there was nothing to attach it to. */
  places(entry: SignedArtifact): readonly string[];
  close?(): Promise<void>;
}

/** What a store is opened with besides the configuration. */
export interface StoreOptions {
  /** What the store may ask of the cluster; without it, the store uses the credentials of this process alone. */
  readonly access?: ClusterAccess;
  /** Milliseconds to wait for one answer. */
  readonly timeout?: number;
}

/** Opens a store, once for each configuration. @throws ChainsError CONFIG_INVALID for a setting that is missing or wrong */
export type OpenStore = (config: Config, options?: StoreOptions) => Promise<Store>;

/** Opens a store for reading. @throws ChainsError CONFIG_INVALID for a setting that is missing or wrong */
export type OpenReader = (config: Config) => Promise<StoreReader>;
