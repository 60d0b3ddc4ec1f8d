import type { ArtifactKind } from './artifact.ts';
import type { Run } from './run.ts';
import type { Transparency } from './signature.ts';

/** What is looked for in a store: an artifact by the names that its entry may be filed under. */
export interface Sought {
  readonly kind: ArtifactKind;
  /** The run itself, or the one that built the image. */
  readonly run: Pick<Run, 'kind' | 'namespace' | 'name'>;
  /** KEY of behaviour.md, "A run's life". */
  readonly key: string;
  /** `repository@sha256:…`: the image itself, or all that the run says it built. */
  readonly images: readonly string[];
  /** `name@algorithm:hex` of what else the run says it made. */
  readonly others: readonly string[];
}

/** A payload with its signature, as a store gave them back. */
export interface StoredEntry {
  /** `gs://bucket/taskrun-ci-build/taskrun-<uid>` */
  readonly place: string;
  readonly payload: Uint8Array;
  /** A DSSE envelope's JSON, or the signature itself. */
  readonly signature: Uint8Array;
  /** PEM, where one is stored with it; empty is none. */
  readonly certificate?: string | undefined;
  /** What was confirmed of the signature, where something is stored of that; a text says why it can't be read. */
  readonly transparency?: Transparency | string | undefined;
}

/** One place that was looked into. */
export interface StoredPlace {
  readonly place: string;
  /** Everything that is there, by whomever. */
  readonly entries: readonly StoredEntry[];
  /** What keeps something that is there from being an entry: `the signature is missing`. */
  readonly flaw?: string | undefined;
}

/** A store that is read back. */
export interface StoreReader {
  /**
   * Looks where the store files such an artifact; no places at all where it files it under what was built, and nothing was.
   * @throws ChainsError STORE_REFUSED or STORE_UNAVAILABLE
   */
  read(sought: Sought, signal?: AbortSignal): Promise<readonly StoredPlace[]>;
  /** The uids of the runs of this name that have entries, in a store that files them by name. */
  uids?(run: Sought['run'], signal?: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}
