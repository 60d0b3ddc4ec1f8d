import { envelopeOf } from '../keys/dsse.ts';
import type { Failure } from '../model/outcome.ts';
import type { Run } from '../model/run.ts';
import type { Payload, Signature, SignedArtifact } from '../model/signature.ts';
import { type FittedAnnotations, fitAnnotations } from './annotation-room.ts';
import { annotationsFor } from './tekton.ts';

/** What the store `tekton` puts on a run for these entries, and those that don't fit. */
export function keepOnRun(run: Run, entries: readonly SignedArtifact[]): FittedAnnotations {
  return fitAnnotations(
    run.annotations,
    entries.map((entry) => ({ artifact: entry.artifact, annotations: annotationsFor(entry) })),
  );
}

/** The artifacts that will not fit on a run, whatever key signs them. */
export function foreseeTooLarge(
  run: Run,
  unsigned: readonly Pick<SignedArtifact, 'artifact' | 'payload'>[],
): readonly Failure[] {
  const entries = unsigned.map((one) => ({ ...one, signature: shortestFor(one.payload) }));
  return keepOnRun(run, entries).tooLarge;
}

/** As long as one of Ed25519, without a certificate: no signer makes a shorter one. */
function shortestFor({ bytes, dsseType }: Payload): Signature {
  const key = { publicKey: '', keyId: `SHA256:${'A'.repeat(43)}` };
  const signature = new Uint8Array(64);
  return {
    key,
    bytes: dsseType === undefined ? signature : envelopeOf(dsseType, bytes, { key, bytes: signature }),
  };
}
