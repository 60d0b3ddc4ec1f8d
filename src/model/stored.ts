import type { ArtifactKind } from './artifact.ts';
import type { Run } from './run.ts';
import type { Transparency } from './signature.ts';

/** An artifact to look up in a store, by the names under which its entry may be stored. */
export interface Sought {
  readonly kind: ArtifactKind;
  /** The run itself, or the one that built the image. */
  readonly run: Pick<Run, 'kind' | 'namespace' | 'name'>;
  /** KEY of behaviour.md, "A run's life". */
  readonly key: string;
  /** `repository@sha256:…`: the image itself, or all images that the run says it built. */
  readonly images: readonly string[];
  /** `name@algorithm:hex` of the other artifacts that the run says it made. */
  readonly others: readonly string[];
}

/** A payload with its signature, as read from a store. */
export interface StoredEntry {
  /** `gs://bucket/taskrun-ci-build/taskrun-<uid>` */
  readonly place: string;
  readonly payload: Uint8Array;
  /** A DSSE envelope's JSON, or the signature itself. */
  readonly signature: Uint8Array;
  /** PEM, where one is stored with it; may be empty. */
  readonly certificate?: string | undefined;
  /** The stored proofs about the signature, if any; a text says why they can't be read. */
  readonly transparency?: Transparency | string | undefined;
}

/** One place that was searched. */
export interface StoredPlace {
  readonly place: string;
  /** Everything that is there, whoever wrote it. */
  readonly entries: readonly StoredEntry[];
  /** Why something that is there is not an entry: `the signature is missing`. */
  readonly flaw?: string | undefined;
}

/** Reads entries back from a store. */
export interface StoreReader {
  /**
   * Searches the places where the store keeps such an artifact. There are none in a store that keeps entries under what a
   * run built, if it built nothing.
   * @throws ChainsError STORE_REFUSED or STORE_UNAVAILABLE
   */
  read(sought: Sought, signal?: AbortSignal): Promise<readonly StoredPlace[]>;
  /** The uids of the runs of this name that have entries, in a store that keeps them by name. */
  uids?(run: Sought['run'], signal?: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}
