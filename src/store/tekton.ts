import { envelopeOf } from '../keys/dsse.ts';
import { storageKeyOf } from '../model/artifact.ts';
import { markPrefix } from '../model/marks.ts';
import type { Failure } from '../model/outcome.ts';
import type { Run } from '../model/run.ts';
import type { Payload, Signature, SignedArtifact } from '../model/signature.ts';
import { evidenceOf } from '../sigstore/bundle.ts';
import { type FittedAnnotations, fitAnnotations } from './annotation-room.ts';
import type { OpenStore } from './store.ts';

/** The store `tekton`: the run's own annotations. It writes nothing itself; they are applied together with the mark. */
export const openTektonStore: OpenStore = async () => ({
  store: async (entry) => annotationsFor(entry),
  places: () => ['annotations of the run'],
});

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

/** As long as a signature of Ed25519 without a certificate: no signer makes a shorter one. */
function shortestFor({ bytes, dsseType }: Payload): Signature {
  const key = { publicKey: '', keyId: `SHA256:${'A'.repeat(43)}` };
  const bare = { key, bytes: new Uint8Array(64) };
  return dsseType === undefined ? bare : { key, bytes: envelopeOf(dsseType, bytes, bare) };
}

/**
 * `payload-KEY`, `signature-KEY` and, where there are any, `cert-KEY`, `chain-KEY` and `evidence-KEY`, all in padded standard
 * base64 (behaviour.md, "A run's life"; transparency.md, "The log").
 */
function annotationsFor(entry: SignedArtifact): Readonly<Record<string, string>> {
  const { payload, signature, transparency } = entry;
  const parts = {
    payload: payload.bytes,
    signature: signature.bytes,
    cert: signature.certificate,
    chain: signature.chain,
    evidence: transparency && JSON.stringify(evidenceOf(transparency)),
  };
  const key = annotationKey(entry);
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, value]) =>
      value === undefined ? [] : [[`${markPrefix}${part}-${key}`, Buffer.from(value).toString('base64')]],
    ),
  );
}

/** A TaskRun's payload in the format `tekton` has a key without the uid, as the walk-through of Tekton Chains expects. */
function annotationKey({ artifact, payload }: SignedArtifact): string {
  return artifact.kind === 'taskrun' && payload.format === 'tekton' ? 'taskrun' : storageKeyOf(artifact);
}
