import type { Service } from '../http/service.ts';
import type { SignedArtifact } from '../model/signature.ts';
import type { SignedContent } from '../sigstore/content.ts';

/** A signature on its way to a log. */
export interface Upload {
  readonly service: Service;
  /** The log's address, without a slash at its end. */
  readonly url: string;
  readonly signed: SignedArtifact;
  readonly content: SignedContent;
  /** The ids of the logs that are trusted. */
  readonly logIds: readonly Uint8Array[];
}
