import type { Artifact } from './artifact.ts';
import type { Problem } from './problem.ts';
import type { ChainsError } from '../errors.ts';
import type { SignedArtifact } from './signature.ts';

/** The stage in which an artifact failed; the value of the metrics' label `error_type` (behaviour.md, "Metrics"). */
export type FailedStage = 'payload_creation' | 'marshal_payload' | 'signing' | 'storage' | 'tlog';

/** One artifact that could not be signed or stored. */
export interface Failure {
  readonly artifact: Artifact;
  readonly stage: FailedStage;
  readonly error: ChainsError;
  /** What was asked: a store, with the registry that it pushes to, a signer, or the witness. */
  readonly backend?: string;
}

/** Which back ends a try found unavailable, and which have answered it, by their names. */
export interface BackendReport {
  readonly unavailable: readonly string[];
  readonly answered: readonly string[];
}

/** What a try leaves for the next one, so that nothing is signed or stored twice. */
export interface TryProgress {
  /** The configuration in force; under another one all starts again. */
  readonly config: object;
  /** The run's uid. */
  readonly uid: string;
  readonly entries: ReadonlyMap<string, EntryProgress>;
}

/** What has been done for one artifact. */
export interface EntryProgress {
  /** The payload and signature; undefined where there was no room to keep them. */
  readonly made: Omit<SignedArtifact, 'artifact'> | undefined;
  /** The stores that have it, without those that keep it on the run, which is written last. */
  readonly stored: ReadonlySet<string>;
}

/** The result of processing one run. */
export interface Outcome {
  /** Annotations for the run, from stores that keep their entries there; written with the mark in one call. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Keys of the artifacts that are signed and stored everywhere. */
  readonly signed: readonly string[];
  /** The places where the entries are stored, by the store's name in the ConfigMap. */
  readonly places: ReadonlyMap<string, readonly string[]>;
  /** What the configuration turns off for artifacts of this run: `artifacts.oci.signer is none`. */
  readonly off: readonly string[];
  readonly failures: readonly Failure[];
  readonly problems: readonly Problem[];
  readonly backends: BackendReport;
  /** For the next try, if this one does not end in a mark. */
  readonly progress: TryProgress;
}
