import type { SignedArtifact } from '../model/signature.ts';

/** A place where payloads and signatures are kept. */
export interface Store {
  /** Stores one artifact; resolves to the annotations that the run is to be marked with, none where the store keeps the entry itself. */
  store(entry: SignedArtifact, signal?: AbortSignal): Promise<Readonly<Record<string, string>>>;
  close?(): Promise<void>;
}
