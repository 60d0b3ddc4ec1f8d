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

/** Which back ends a try found away, and which have answered it, by their names. */
export interface BackendNews {
  readonly away: readonly string[];
  readonly answered: readonly string[];
}

/** What a try leaves for the next one: signatures are not made again, and what is stored is not stored again. */
export interface TryProgress {
  /** The configuration that it was made under; another one begins again. */
  readonly config: object;
  /** The run's uid. */
  readonly uid: string;
  readonly entries: ReadonlyMap<string, EntryProgress>;
}

/** How far one artifact is. */
export interface EntryProgress {
  /** Undefined where there was no room to keep it. */
  readonly made: Omit<SignedArtifact, 'artifact'> | undefined;
  /** The stores that have it; not those that keep it on the run, which is still to be written. */
  readonly stored: ReadonlySet<string>;
}

/** What became of one run in the pipeline. */
export interface Outcome {
  /** Annotations for the run, from stores that keep their entries there; written with the mark in one call. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Keys of the artifacts that are signed and stored everywhere. */
  readonly signed: readonly string[];
  /** Where what was signed is found once it is stored, by the store's name in the ConfigMap. */
  readonly places: ReadonlyMap<string, readonly string[]>;
  /** What the configuration turned off, for artifacts that this run has: `artifacts.oci.signer is none`. */
  readonly off: readonly string[];
  readonly failures: readonly Failure[];
  readonly problems: readonly Problem[];
  readonly news: BackendNews;
  /** For another try, should this one not end in a mark. */
  readonly progress: TryProgress;
}
