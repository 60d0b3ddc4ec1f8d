import { failuresOf } from '../http/failures.ts';
import { openService, type Service, words } from '../http/service.ts';
import { at } from '../json.ts';
import type { SignedArtifact } from '../model/signature.ts';
import type { SignedContent } from '../sigstore/content.ts';

/** How failures of logs and timestamp servers are reported. */
export const failures = failuresOf({
  unavailable: 'WITNESS_UNAVAILABLE',
  refused: 'WITNESS_REFUSED',
  temporary: [],
});

/** A signature that is uploaded to a log. */
export interface Upload {
  readonly service: Service;
  /** The log's address, without a slash at its end. */
  readonly url: string;
  readonly signed: SignedArtifact;
  readonly content: SignedContent;
  /** The ids of the logs that are trusted. */
  readonly logIds: readonly Uint8Array[];
}

/** Opens connections to a log or a timestamp server. */
export function openWitnessService(): Service {
  return openService({
    failures,
    // A log of version 2 waits for its next checkpoint before it answers.
    timeout: 30_000,
    longestAnswer: 4 * 1024 * 1024,
    // Each upload to a log of version 2 takes a second or more, however many run at the same time.
    connections: 64,
    reasonIn: ({ body, bytes }) =>
      words([at(body, 'message')]) || Buffer.from(bytes.subarray(0, 300)).toString('utf8'),
  });
}
